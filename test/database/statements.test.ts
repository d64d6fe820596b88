import { readFileSync } from 'node:fs';

import test from 'ava';

import { closingFor } from '../../src/database/mariadb/server.ts';
import { versionOf } from '../../src/database/version.ts';

test('every statement about replication names the channel of the cluster, so that other channels are left alone', (t) => {
  const source = readFileSync(new URL('../../src/database/mysql/server.ts', import.meta.url), 'utf8');
  const statements =
    source.match(/\b(STOP REPLICA|START REPLICA|RESET REPLICA|SHOW REPLICA STATUS)\b[^;`']*/g) ?? [];
  t.true(statements.length >= 12);
  for (const statement of statements) t.regex(statement, /\$\{CLUSTER_CHANNEL\}/, statement);
  t.regex(source, /CHANGE REPLICATION SOURCE TO[^;]*\$\{CLUSTER_CHANNEL\};/);
});

test('whom MariaDB lets write in spite of read_only is not asked: our account sees no grants but its own', (t) => {
  const source = readFileSync(new URL('../../src/database/mariadb/server.ts', import.meta.url), 'utf8');
  t.notRegex(source, /user_privileges|global_priv|mysql\.user\b/);
  t.regex(source, /FLUSH TABLES WITH READ LOCK[^]*#clients\(\)[^]*UNLOCK TABLES/);
});

for (const [text, closes] of [
  ['10.11.14-MariaDB', false],
  ['11.8.3-MariaDB-0+deb13u1', false],
  ['12.0.0-MariaDB', false],
  ['12.0.1-MariaDB', true],
  ['12.3.1-MariaDB-log', true],
  ['13.0.1-MariaDB', true],
] as const) {
  test(`MariaDB ${text} ${closes ? 'can' : 'cannot'} be told to let nobody write, administrators included`, (t) => {
    t.is(closingFor(versionOf(text)), closes ? "SET GLOBAL read_only = 'NO_LOCK_NO_ADMIN'" : undefined);
  });
}
