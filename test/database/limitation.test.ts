import { readFileSync } from 'node:fs';

import test from 'ava';

import { serverLimitation } from '../../src/database/limitation.ts';
import { mariadbIdentity, mariadbStateQuery } from '../../src/database/mariadb/read.ts';
import { mysqlIdentity, mysqlStateQuery } from '../../src/database/mysql/read.ts';
import { parseVersion } from '../../src/database/version.ts';

interface Case {
  readonly name: string;
  readonly version: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly members?: readonly string[];
  /** Part of the sentence; without, the server is supported. */
  readonly says?: string;
}

const CASES = JSON.parse(
  readFileSync(new URL('cases/limitations.json', import.meta.url), 'utf8'),
) as readonly Case[];

for (const one of CASES) {
  test(`${one.says === undefined ? 'supported' : 'left alone'}: ${one.name}`, (t) => {
    const limitation = serverLimitation({
      versionText: one.version,
      version: parseVersion(one.version),
      variables: new Map(Object.entries(one.variables)),
      groupMembers: one.members ?? [],
    });
    if (one.says === undefined) t.is(limitation, undefined);
    else t.true(limitation?.includes(one.says), limitation);
  });
}

test('what a server says of its kind is found where the query puts it', (t) => {
  const variables = [{ variable_name: 'wsrep_on', variable_value: 'ON' }];
  const results = (
    query: string,
    rows: Readonly<Record<number, readonly object[]>>,
  ): readonly (readonly Record<string, unknown>[])[] =>
    query
      .split(';')
      .map((_, index, all) => (rows[index] ?? rows[index - all.length] ?? []) as Record<string, unknown>[]);
  const mysql = mysqlIdentity(
    results(mysqlStateQuery(5), { 0: [{ version: '8.4.7' }], 1: variables, [-2]: [{ state: 'ONLINE' }] }),
  );
  t.is(mysql.versionText, '8.4.7');
  t.is(mysql.variables.get('wsrep_on'), 'ON');
  t.deepEqual(mysql.groupMembers, ['ONLINE']);
  const mariadb = mariadbIdentity(
    results(mariadbStateQuery(5), { 0: [{ version: '11.8.9-MariaDB' }], [-2]: variables }),
  );
  t.is(mariadb.version?.flavour, 'mariadb');
  t.is(mariadb.variables.get('wsrep_on'), 'ON');
});
