import type { Command } from 'commander';

import type { CommandContext } from '../commands/context.ts';

/** One command of a program. Its code is loaded when it is named, so that `--version` and `--help` are quick. */
export interface Verb {
  readonly name: string;
  /** The line in the program's help; a test keeps it equal to the command's own description. */
  readonly summary: string;
  /** How its arguments show in the program's help. */
  readonly usage?: string;
  load(): Promise<(context: CommandContext) => Command>;
}

/** Adds the verb that `operands` name with all its options, and of the others only the lines that help shows. */
export async function addVerbs(
  program: Command,
  verbs: readonly Verb[],
  operands: readonly string[],
  context: CommandContext,
): Promise<void> {
  const [first, second] = operands.filter((operand) => !operand.startsWith('-'));
  const wanted = first === 'help' ? second : first;
  for (const verb of verbs) {
    if (verb.name === wanted) {
      const create = await verb.load();
      program.addCommand(create(context));
    } else {
      program
        .command(`${verb.name}${verb.usage === undefined ? '' : ` ${verb.usage}`}`)
        .description(verb.summary);
    }
  }
}
