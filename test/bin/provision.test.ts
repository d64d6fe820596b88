import test from 'ava';
import { type Command, CommanderError } from 'commander';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { nodeLimitation, VERSION } from '../../src/bin/package.ts';
import { FAILOVER_VERBS, failoverProgram } from '../../src/bin/failover-program.ts';
import { PROVISION_VERBS, provisionProgram } from '../../src/bin/provision-program.ts';
import { run } from '../../src/lib/process.ts';

const path = (name: string): string => fileURLToPath(new URL(`../../src/bin/${name}`, import.meta.url));
const program = (name: string, ...args: readonly string[]): ReturnType<typeof run> =>
  run([process.execPath, path(name), ...args], { timeoutMs: 60_000 });
const context = { signal: new AbortController().signal };

for (const name of ['provision.ts', 'failover.ts']) {
  test(`${name} --version prints the version of package.json`, async (t) => {
    t.like(await program(name, '--version'), { status: 0, stdout: `${VERSION}\n`, stderr: '' });
  });
}

/** What a program prints as help for these arguments. */
async function helpFor(name: 'provision' | 'failover', argv: readonly string[]): Promise<string> {
  const program = await (name === 'provision' ? provisionProgram : failoverProgram)(argv, context);
  let text = '';
  const listen = (command: Command): void => {
    command.exitOverride().configureOutput({
      writeOut: (part) => {
        text += part;
      },
    });
    command.commands.forEach(listen);
  };
  listen(program);
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError) || error.exitCode !== 0) throw error;
  }
  return text;
}

const VERBS = [
  ...PROVISION_VERBS.map((verb) => ({ name: 'provision' as const, verb })),
  ...FAILOVER_VERBS.map((verb) => ({ name: 'failover' as const, verb })),
];

for (const { name, verb } of VERBS) {
  test(`${name} ${verb.name} is what the program's help says it is`, async (t) => {
    const command = (await verb.load())(context);
    t.is(command.name(), verb.name);
    t.is(command.description(), verb.summary);
    const operands = command.registeredArguments.map((argument) => {
      const operand = `${argument.name()}${argument.variadic ? '...' : ''}`;
      return argument.required ? `<${operand}>` : `[${operand}]`;
    });
    t.is(operands.join(' '), verb.usage ?? '');
    const help = await helpFor(name, ['help', verb.name]);
    t.is(help, await helpFor(name, [verb.name, '--help']));
    t.true(help.startsWith(`Usage: ${name} ${verb.name} `));
  });
}

for (const name of ['provision', 'failover'])
  test(`${name} --help loads no command`, async (t) => {
    const tracer = `data:text/javascript,${encodeURIComponent(
      `import { registerHooks } from 'node:module';
     registerHooks({ resolve(name, context, next) {
       const found = next(name, context);
       process.stderr.write(found.url + '\\n');
       return found;
     } });`,
    )}`;
    for (const option of ['--help', '--version']) {
      const ended = await run([process.execPath, '--import', tracer, path(`${name}.ts`), option], {
        timeoutMs: 60_000,
      });
      t.is(ended.status, 0);
      const loaded = ended.stderr.split('\n');
      t.true(loaded.some((url) => url.includes('/node_modules/commander/')));
      t.deepEqual(
        loaded.filter((url) => /\/node_modules\/(?!commander\/)|\/src\/(?!bin\/|lib\/)/.test(url)),
        [],
      );
    }
  });

test('an old Node is told which one is needed', (t) => {
  const needed = (
    JSON.parse(readFileSync(path('../../package.json'), 'utf8')) as { engines: { node: string } }
  ).engines;
  t.is(needed.node, '>=24');
  t.regex(
    nodeLimitation('20.20.2') ?? '',
    /^Node\.js 24 or newer is needed, and this is Node\.js 20\.20\.2 /,
  );
  t.is(nodeLimitation('24.0.0'), undefined);
  t.is(nodeLimitation('100.1.0'), undefined);
});
