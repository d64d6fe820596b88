import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test, { type ExecutionContext } from 'ava';

import { run } from '../../../src/lib/process.ts';
import { rollHistorySchema } from '../../../src/report/roll/schema.ts';
import { rollJournal } from '../../../src/site/roll/journal.ts';
import { FAILURE, MIDDLE, recordOf } from '../../report/roll/support.ts';

const PROGRAM = fileURLToPath(new URL('../../../src/bin/provision.ts', import.meta.url));

/** `provision history` of an inventory with two rolls: one that stopped, and one that nobody ended. */
function site(t: ExecutionContext) {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-history-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'hosts.yml'), 'all:\n  hosts:\n    web1:\n');
  const journal = rollJournal(directory);
  journal.write(recordOf([...MIDDLE, ...FAILURE]));
  journal.write({ ...recordOf(MIDDLE), id: '20261129T030000-reboot', purpose: 'reboot' });
  return async (...args: readonly string[]) =>
    await run([process.execPath, PROGRAM, 'history', '-i', directory, ...args], {
      env: { ...process.env, NO_COLOR: '1' },
    });
}

test('the rolls are shown, the newest first, and as many as are asked for', async (t) => {
  const history = site(t);
  t.is(
    (await history()).stdout,
    [
      '2026-11-29 02:00:00Z  reboot  not at its end  1 of 5 hosts  ann@desk  20261129T030000-reboot',
      '2026-11-29 02:00:00Z  roll playbooks/kernel.yml  stopped in 12.1 s  1 of 5 hosts  ann@desk  20261129T020000-roll',
      '',
    ].join('\n'),
  );
  t.is((await history('--limit', '1')).stdout.split('\n').length, 2);
});

test('one roll shows the phases of each host with their times, and how long it was out of service', async (t) => {
  const { stdout } = await site(t)('20261129T02');
  t.deepEqual(stdout.split('\n').slice(1, 16), [
    '  web3: Restart <nginx>: exit 1 & no more',
    '  web2  done, out of service for 7.2 s',
    '      +0:00      0.1 s  check',
    '      +0:00      1.0 s  drain',
    '      +0:01      5.0 s  work',
    '      +0:06      1.0 s  recover',
    '      +0:07      0.2 s  undrain',
    '      +0:07      1.0 s  settle',
    '  web3  not finished, out of service for 3.6 s',
    '      +0:08      0.1 s  check',
    '      +0:09      0.5 s  drain',
    '      +0:09      3.0 s  work failed     Restart <nginx>: exit 1 & no more',
    '  lb1  not begun',
    '  lb2  not begun',
    '  web1  not begun',
  ]);
});

test('with --json each line is as the schema says', async (t) => {
  const { stdout } = await site(t)('--json');
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => rollHistorySchema.parse(JSON.parse(line)));
  t.deepEqual(
    lines.map(({ id, outcome }) => [id, outcome]),
    [
      ['20261129T030000-reboot', 'running'],
      ['20261129T020000-roll', 'stopped'],
    ],
  );
  t.is(lines[1]?.hosts.find(({ name }) => name === 'web2')?.outOfServiceMs, 7200);
});

test('an unknown name is an error with the nearest ones, and so is the beginning of several', async (t) => {
  const history = site(t);
  const unknown = await history('20261129T020001-roll');
  t.is(unknown.status, 1);
  t.regex(unknown.stderr, /there is no roll "20261129T020001-roll"[^]*did you mean "20261129T020000-roll"/);
  t.regex((await history('2026')).stderr, /the names of 2 rolls begin with "2026"/);
});
