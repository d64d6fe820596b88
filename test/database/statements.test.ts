import { readFileSync } from 'node:fs';

import test from 'ava';

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
