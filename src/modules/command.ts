import { splitShellWords } from '../lib/shell-words.ts';
import { args, bool, list, path, str } from './kit/arguments.ts';
import { defineModule } from './kit/define.ts';
import { conditionFacts, planCommand } from './parts/run-command.ts';
import { z } from 'zod';

/** The arguments that command and shell share. */
export const commandArguments = {
  chdir: path.optional().describe('The directory to run it in.'),
  creates: path
    .optional()
    .describe('Do not run it when this file, or one that matches this pattern, exists.'),
  removes: path.optional().describe('Run it only when this file, or one that matches this pattern, exists.'),
  stdin: str.optional().describe('Text for its standard input; without it, that is empty.'),
  stdin_add_newline: bool.default(true).describe('End that text with a new line.'),
  strip_empty_ends: bool.default(true).describe('Take empty lines off the end of the output.'),
};

/** Adds the newline that commands expect at the end of their input. */
export function stdinText(given: {
  stdin?: string | undefined;
  stdin_add_newline: boolean;
}): string | undefined {
  return given.stdin === undefined || !given.stdin_add_newline ? given.stdin : `${given.stdin}\n`;
}

const commandArgs = args(
  {
    cmd: str
      .optional()
      .describe('The program and its arguments, split at blanks as a shell does, with quotes.'),
    argv: list(str).optional().describe('The same as a list, one word an item.'),
    expand_argument_vars: bool
      .default(true)
      .describe('Replace `$NAME` in the words by environment variables of the target.'),
    executable: str.optional().describe('Accepted, and without effect: there is no shell.'),
    ...commandArguments,
  },
  { exclusive: [['cmd', 'argv']], oneOf: [['cmd', 'argv']] },
);

const withWords = commandArgs.transform((given, context) => {
  const words = given.argv ?? splitShellWords(given.cmd ?? '');
  if ('problem' in words) {
    context.addIssue({ code: 'custom', message: `cmd: ${words.problem}` });
    return z.NEVER;
  }
  if (words.length === 0) {
    context.addIssue({ code: 'custom', message: 'cmd: expected a command; found nothing' });
    return z.NEVER;
  }
  return { ...given, argv: words };
});

/** Runs a program without a shell: no variables, wildcards or pipes. */
export const command = defineModule({
  name: 'ansible.builtin.command',
  summary: 'Runs a program without a shell.',
  example: `
- name: Make the database, once
  ansible.builtin.command:
    argv: [/usr/bin/initialise, --directory, /srv/data]
    creates: /srv/data/version
`,
  args: withWords,
  aliases: { cmd: ['_raw_params'] },
  paths: ['chdir', 'creates', 'removes'],
  facts: (given) => conditionFacts(given),
  plan: (given, facts, context) =>
    planCommand(
      {
        ...given,
        run: { argv: given.argv },
        cmd: given.argv,
        stdin: stdinText(given),
        stripEmptyEnds: given.strip_empty_ends,
      },
      facts,
      context,
    ),
});
