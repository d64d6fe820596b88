// A program that crashes while the live view is on its terminal; listr-terminal.test.ts runs it on a real one.
import { setTimeout as sleep } from 'node:timers/promises';

import { runProgram } from '../../src/bin/run-program.ts';
import { createReport } from '../../src/report/report.ts';
import { task } from './events.ts';
import { Command } from 'commander';

await runProgram(() =>
  Promise.resolve(
    new Command('crashing').action(async () => {
      const report = await createReport({
        json: false,
        check: false,
        diff: false,
        verbose: 0,
        redact: (text) => text,
      });
      report.emit(task('Install', ['web1']));
      setTimeout(() => {
        throw new Error('out of the blue');
      }, 400);
      await sleep(600_000);
    }),
  ),
);
