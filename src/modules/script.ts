import { z } from 'zod';

import { quote } from '../lib/shell.ts';
import { splitShellWords } from '../lib/shell-words.ts';
import { args, bool, filled, path, str } from './kit/arguments.ts';
import { defineModule } from './kit/define.ts';
import { sha1 } from './parts/file-plan.ts';
import { conditionFacts, planCommand } from './parts/run-command.ts';

const scriptArgs = args({
  cmd: str.describe('The script on the controller, and its arguments.'),
  chdir: path.optional().describe('The directory on the target to run it in.'),
  creates: path
    .optional()
    .describe('Do not run it when this file, or one that matches this pattern, exists on the target.'),
  removes: path
    .optional()
    .describe('Run it only when this file, or one that matches this pattern, exists on the target.'),
  executable: filled
    .optional()
    .describe('The program that runs it; without it, the first line of the script says so.'),
  decrypt: bool
    .default(true)
    .describe('Accepted; files that Ansible Vault encrypted are opened in any case.'),
}).transform((given, context) => {
  const words = splitShellWords(given.cmd);
  if (!('problem' in words) && words.length > 0) return { ...given, words };
  context.addIssue({
    code: 'custom',
    message: 'problem' in words ? `cmd: ${words.problem}` : 'cmd: expected a script; found nothing',
  });
  return z.NEVER;
});

/** Runs a script of the controller on the target. */
export const script = defineModule({
  name: 'ansible.builtin.script',
  summary: 'Brings a script of the controller to the target, runs it there and removes it.',
  example: `
- name: Set it up, once
  ansible.builtin.script:
    cmd: set-up.sh --fast
    creates: /etc/some/done
`,
  args: scriptArgs,
  aliases: { cmd: ['_raw_params', 'free_form'] },
  paths: ['chdir', 'creates', 'removes'],
  facts: (given) => conditionFacts(given),
  plan(given, facts, context) {
    const [name = '', ...rest] = given.words;
    const bytes = context.controller.read(context.controller.find(name, 'files'));
    const remote = `/tmp/.understudy-script-${context.user}-${sha1(bytes).slice(0, 16)}`;
    const executable = splitShellWords(given.executable ?? '');
    return planCommand(
      {
        ...given,
        run: { argv: [...('problem' in executable ? [] : executable), remote, ...rest] },
        cmd: given.cmd,
        stripEmptyEnds: false,
        before: [{ kind: 'write', path: remote, content: bytes, attributes: { mode: '0700' } }],
        after: [{ kind: 'script', description: 'remove the script', script: `rm -f -- ${quote(remote)}` }],
      },
      facts,
      context,
    );
  },
});
