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
