import { args, path, str } from './kit/arguments.ts';
import { defineModule } from './kit/define.ts';
import { planCommand } from './parts/run-command.ts';

const rawArgs = args({
  cmd: str.describe('The command line.'),
  executable: path.optional().describe('The shell, as an absolute path.'),
});

/** Runs a command line as it stands. */
export const raw = defineModule({
  name: 'ansible.builtin.raw',
  summary: 'Runs a command line as it stands.',
  example: `
- name: See what it is
  ansible.builtin.raw: uname -a
`,
  args: rawArgs,
  aliases: { cmd: ['_raw_params', 'free_form'] },
  facts: () => [],
  plan: (given, facts, context) =>
    planCommand(
      {
        run: { shell: given.cmd, executable: given.executable },
        cmd: given.cmd,
        stripEmptyEnds: false,
      },
      facts,
      context,
    ),
});
