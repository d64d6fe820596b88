import { z } from 'zod';

import { args, path, str } from './arguments.ts';
import { commandArguments, spreadFreeForm, stdinText } from './command.ts';
import { defineModule } from './define.ts';
import { conditionFacts, planCommand } from './run-command.ts';

const shellArgs = args({ cmd: str, executable: path.optional(), ...commandArguments });

/** Runs text through the target's shell. */
export const shell = defineModule({
  name: 'ansible.builtin.shell',
  summary: "Runs a command line through the target's shell.",
  args: z.preprocess(spreadFreeForm(), shellArgs),
  aliases: { cmd: ['_raw_params'] },
  freeForm: 'cmd',
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
