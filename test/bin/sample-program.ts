// A program with a command for each way to end; run-program.test.ts runs it.
import { Command } from 'commander';
import { setTimeout as sleep } from 'node:timers/promises';

import { runProgram } from '../../src/bin/run-program.ts';
import { UserError } from '../../src/lib/errors.ts';

await runProgram((_argv, context) => {
  const program = new Command('sample').version('1.2.3');
  program.command('drift').action(() => {
    process.exitCode = 3;
  });
  program.command('mistake').action(() => {
    throw new UserError({ message: 'no such host: web9', hint: 'known: web1' }, { exitCode: 4 });
  });
  program.command('bug').action(() => {
    throw new Error('outer', { cause: new TypeError('inner') });
  });
  program.command('late-bug').action(async () => {
    setTimeout(() => {
      throw new Error('too late');
    }, 1);
    await sleep(600_000);
  });
  program.command('heedless').action(async () => {
    process.stdout.write('ready\n');
    await sleep(600_000);
  });
  program.command('heeding').action(async () => {
    const { signal } = context;
    process.stdout.write('ready\n');
    await sleep(600_000, undefined, { signal });
  });
  program.command('stubborn').action(async () => {
    context.signal.addEventListener('abort', () => process.stdout.write('stopping\n'));
    process.stdout.write('ready\n');
    await sleep(600_000);
  });
  program.command('flood').action(async () => {
    for (let n = 0; n < 1_000_000; n++) {
      if (!process.stdout.write(`${n}\n`))
        await new Promise((resolve) => process.stdout.once('drain', resolve));
    }
  });
  return Promise.resolve(program);
});
