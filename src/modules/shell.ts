import { args, path, str } from './kit/arguments.ts';
import { commandArguments, stdinText } from './command.ts';
import { defineModule } from './kit/define.ts';
import { conditionFacts, planCommand } from './parts/run-command.ts';

const shellArgs = args({
  cmd: str.describe('The command line, with variables, wildcards, pipes and all that the shell knows.'),
  executable: path.optional().describe('The shell, as an absolute path; /bin/sh without it.'),
  ...commandArguments,
});

/** Runs text through the target's shell. */
export const shell = defineModule({
  name: 'ansible.builtin.shell',
  summary: "Runs a command line through the target's shell.",
  example: `
- name: Count the errors
  ansible.builtin.shell:
    cmd: grep error /var/log/app.log | wc -l
`,
  args: shellArgs,
  aliases: { cmd: ['_raw_params'] },
  paths: ['chdir', 'creates', 'removes'],
  facts: (given) => conditionFacts(given),
  plan: (given, facts, context) =>
    planCommand(
      {
        ...given,
        run: { shell: given.cmd, executable: given.executable },
        cmd: given.cmd,
        stdin: stdinText(given),
        stripEmptyEnds: given.strip_empty_ends,
      },
      facts,
      context,
    ),
});
