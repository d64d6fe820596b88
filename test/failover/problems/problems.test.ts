import { readFileSync } from 'node:fs';

import test from 'ava';

import { PROBLEMS, problems } from '../../../src/failover/problems/problems.ts';
import type { Memory } from '../../../src/failover/cluster/memory.ts';
import type { BalancerView } from '../../../src/failover/cluster/topology.ts';
import { describe, SETTINGS } from '../support/topology.ts';

interface Case {
  readonly name: string;
  readonly instances: readonly string[];
  readonly memory?: Partial<Memory>;
  readonly balancers?: readonly BalancerView[];
  readonly problems: readonly string[];
  /** What one of the remedies says. */
  /** A part of a message. */
  readonly message?: string;
  readonly remedy?: string;
}

const CASES = JSON.parse(
  readFileSync(new URL('cases/problems.json', import.meta.url), 'utf8'),
) as readonly Case[];

/** Two flavours in one set of GTIDs cannot be written down for both. */
const MYSQL_ONLY = [
  'MySQL and MariaDB together',
  'GTIDs are off on one',
  'two have the same server_uuid',
  'a replica is read-only, and not for administrators',
  'errant transactions on MySQL may be kept on their instance',
  'an instance was set back to an older state',
];
const MARIADB_ONLY = ['errant transactions on MariaDB cannot be kept'];

for (const flavour of ['mysql', 'mariadb'] as const) {
  for (const one of CASES) {
    if ((flavour === 'mariadb' ? MYSQL_ONLY : MARIADB_ONLY).includes(one.name)) continue;
    test(`${flavour}: ${one.name}`, (t) => {
      const found = problems(
        describe({ ...(one as object), flavour } as Parameters<typeof describe>[0]),
        SETTINGS,
      );
      t.deepEqual(
        found.map(({ code, instance }) => (instance === undefined ? code : `${code} ${instance}`)),
        one.problems,
      );
      for (const { message, remedy } of found) {
        t.regex(message, /\S/);
        t.regex(remedy, /\S/);
        t.notRegex(`${message} ${remedy}`, /undefined|\[object|NaN/);
      }
      const remedies = found.map(({ remedy }) => remedy);
      const messages = found.map(({ message }) => message);
      if (one.message !== undefined) t.true(messages.join('\n').includes(one.message), messages.join('\n'));
      if (one.remedy !== undefined) t.true(remedies.includes(one.remedy), remedies.join('\n'));
    });
  }
}

for (const [word, code] of [
  ['full', 'PrimaryDiskFull'],
  ['commit', 'PrimaryDiskStalled'],
  ['waiting', 'PrimarySemiSyncBlocked'],
] as const) {
  test(`failover_long_transaction_seconds says from when on a commit stands still: ${code}`, (t) => {
    const found = (seconds: number, limit: number): readonly string[] =>
      problems(describe({ instances: [`db1 primary ${word}=${seconds} 1:1-100`, 'db2 <db1 1:1-100'] }), {
        ...SETTINGS,
        longTransactionSeconds: limit,
      }).map((problem) => problem.code);
    for (const limit of [1, 2, 4, 10, 60]) {
      t.true(found(limit, limit).includes(code), `${limit} s`);
      t.false(found(limit - 1, limit).includes(code), `${limit} s, a second before`);
    }
  });
}

test('every kind of problem has a case, a code of its own and a description', (t) => {
  const seen = new Set(CASES.flatMap((one) => one.problems.map((problem) => problem.split(' ')[0])));
  t.deepEqual(
    PROBLEMS.map((row) => row.code).filter((code) => !seen.has(code)),
    [],
  );
  t.is(new Set(PROBLEMS.map((row) => row.code)).size, PROBLEMS.length);
  t.true(PROBLEMS.every((row) => row.description.endsWith('.')));
});
