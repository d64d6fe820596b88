import test from 'ava';
import type { Command } from 'commander';

import { FAILOVER_VERBS } from '../../src/bin/failover-program.ts';
import { PROVISION_VERBS } from '../../src/bin/provision-program.ts';

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
  });
  command.outputHelp();
  return text;
}

function withChildren(command: Command, name: string): [string, Command][] {
  return [
    [name, command],
    ...command.commands.flatMap((child) => withChildren(child, `${name} ${child.name()}`)),
  ];
}

const VERBS = [
  ...PROVISION_VERBS.map((verb) => ({ program: 'provision', verb })),
  ...FAILOVER_VERBS.map((verb) => ({ program: 'failover', verb })),
];

for (const { program, verb } of VERBS) {
  test(`${program} ${verb.name} and all below it show examples of themselves`, async (t) => {
    const create = await verb.load();
    for (const [name, command] of withChildren(create({ signal: new AbortController().signal }), verb.name)) {
      const examples = helpOf(command).split('\nExamples:\n')[1] ?? '';
      t.true(examples.includes(`${program} ${name}`), name);
    }
  });
}
