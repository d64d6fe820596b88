import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import test from 'ava';

import { mysqlState, mysqlStateQuery } from '../../src/database/mysql/read.ts';
import { setSemiSync } from '../../src/database/mysql/semi-sync.ts';
import type { ReplicationState } from '../../src/database/state.ts';
import type { Row, Session } from '../../src/database/session.ts';
import { versionLimitation } from '../../src/database/limitation.ts';
import { isAtLeast, versionOf } from '../../src/database/version.ts';

/*
 * Releases that no package at hand offers: what they answer is written after their documentation, as far as it differs
 * from 9.7, which test/lab runs. Each file names its pages.
 */

interface Recorded {
  readonly from: string;
  readonly sources: readonly string[];
  readonly what: string;
  readonly results: readonly (readonly Row[])[];
  readonly expected: {
    readonly major: number;
    readonly minor: number;
    readonly semiSync: object;
    readonly binlogFormat: string;
    readonly replicas?: readonly string[];
    readonly receiver?: ReplicationState['receiver'];
    readonly applier?: ReplicationState['applier'];
    readonly lagSeconds?: number;
    readonly receiverError?: number;
    readonly applierError?: number;
    readonly backlog?: string;
  };
}

const directory = fileURLToPath(new URL('recorded/', import.meta.url));

for (const file of readdirSync(directory)) {
  const recorded = JSON.parse(readFileSync(`${directory}${file}`, 'utf8')) as Recorded;
  test(`recorded from documentation: ${recorded.what}`, (t) => {
    t.is(recorded.from, 'documentation, not a running server');
    t.true(recorded.sources.length > 0);
    // The driver reads a result for each statement.
    t.is(recorded.results.length, mysqlStateQuery(5).split(';').length);
    const state = mysqlState(recorded.results);
    const { expected } = recorded;
    t.like(state.version, { major: expected.major, minor: expected.minor });
    t.is(versionLimitation(state.version), undefined);
    t.deepEqual(state.semiSync, expected.semiSync);
    t.is(state.binlogFormat, expected.binlogFormat);
    t.true(state.gtidMode && state.logBin && state.logReplicaUpdates);
    if (expected.replicas)
      t.deepEqual(
        state.replicas.map(({ address }) => address),
        expected.replicas,
      );
    const { replication } = state;
    t.is(replication?.receiver, expected.receiver);
    t.is(replication?.applier, expected.applier);
    t.is(replication?.receiverError?.code, expected.receiverError);
    t.is(replication?.applierError?.code, expected.applierError);
    if (expected.lagSeconds !== undefined) t.is(replication?.lagSeconds, expected.lagSeconds);
    if (expected.backlog !== undefined) t.is(replication?.backlog.toString(), expected.backlog);
  });
}

test('bytes of the binary log that nobody counts are unknown, and not none', (t) => {
  const { results } = JSON.parse(readFileSync(`${directory}mysql-8.4-primary.json`, 'utf8')) as Recorded;
  const read = (bytes: number | string | null): number | undefined => {
    const [main = [], ...others] = results;
    return mysqlState([main.map((row) => ({ ...row, binlog_bytes: bytes })), ...others]).binlogBytes;
  };
  // Instruments that are off: 0, or what was counted before, which the query does not ask for then.
  t.deepEqual([read(0), read('0'), read(null), read('4711')], [undefined, undefined, undefined, 4711]);
});

/** A server that has these variables and takes every SET. */
function server(variables: ReadonlyMap<string, string>): { session: Session; said: string[] } {
  const said: string[] = [];
  const rows = (_doing: string, sql: string, values: readonly unknown[]): Promise<readonly Row[]> => {
    if (sql.startsWith('SET')) said.push(sql);
    return Promise.resolve(
      values.map(String).flatMap((name) => {
        const value = variables.get(name);
        return value === undefined ? [] : [{ name, value }];
      }),
    );
  };
  return { session: { rows } as unknown as Session, said };
}

test('recorded from documentation: semi-sync is switched by the names that its plugin has', async (t) => {
  const limits = { timeoutMs: 1000 };
  const old = server(new Map([['rpl_semi_sync_master_enabled', 'OFF']]));
  t.true(await setSemiSync('db1', old.session, 'source', true, limits));
  t.deepEqual(old.said, ['SET GLOBAL rpl_semi_sync_master_enabled = ON']);
  const present = server(new Map([['rpl_semi_sync_replica_enabled', 'ON']]));
  t.true(await setSemiSync('db1', present.session, 'replica', false, limits));
  t.deepEqual(present.said, ['SET GLOBAL rpl_semi_sync_replica_enabled = OFF']);
  await t.throwsAsync(setSemiSync('db1', server(new Map()).session, 'source', true, limits), {
    message: /plugin of a source is not installed/,
  });
});

/** Since when MySQL has the words that we say to it: https://dev.mysql.com/doc/refman/8.0/en/added-deprecated-removed.html */
const SINCE: readonly (readonly [RegExp, readonly [number, number, number]])[] = [
  [/SHOW REPLICA STATUS/, [8, 0, 22]],
  [/SHOW REPLICAS/, [8, 0, 22]],
  [/@@log_replica_updates/, [8, 0, 26]],
  [/applying_transaction_original_commit_timestamp/, [8, 0, 0]],
];
/** Words that 8.4 and later no longer know. */
const GONE =
  /\b(SHOW (MASTER|SLAVE)|CHANGE MASTER|(START|STOP|RESET) SLAVE|RESET MASTER|MASTER_(HOST|AUTO_POSITION)|@@log_slave_updates)\b/;

test('recorded from documentation: the oldest supported release knows every statement, and no later one has dropped it', (t) => {
  const oldest = versionOf('8.0.26');
  t.is(versionLimitation(oldest), undefined);
  const query = mysqlStateQuery(5);
  for (const [words, since] of SINCE) {
    t.regex(query, words);
    t.true(isAtLeast(oldest, ...since), String(words));
  }
  for (const file of readdirSync(fileURLToPath(new URL('../../src/database/mysql/', import.meta.url)))) {
    const source = readFileSync(new URL(`../../src/database/mysql/${file}`, import.meta.url), 'utf8');
    t.notRegex(source, GONE, file);
  }
});
