import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test from 'ava';

import { loadInventory } from '../../src/inventory/load.ts';
import { selectHosts } from '../../src/inventory/select.ts';
import { UserError } from '../../src/lib/errors.ts';

const inventory = loadInventory(fileURLToPath(new URL('cases/yaml', import.meta.url)));

/** Patterns and the hosts that Ansible selects with them. */
const patterns = JSON.parse(
  readFileSync(new URL('cases/patterns.json', import.meta.url), 'utf8'),
) as readonly [pattern: string, hosts: readonly string[]][];

for (const [pattern, hosts] of patterns) {
  test(`the pattern ${pattern} selects what it does in Ansible`, (t) => {
    t.deepEqual(selectHosts(inventory, pattern).hosts, hosts);
  });
}

test('a name that nothing goes by is warned of, with the nearest', (t) => {
  t.deepEqual(selectHosts(inventory, 'wbe:db').warnings, [
    'the pattern "wbe" matches no host; did you mean "web"?',
  ]);
  t.deepEqual(selectHosts(inventory, 'all:!elsewhere').warnings, [
    'the pattern "!elsewhere" matches no host',
  ]);
  t.deepEqual(selectHosts(inventory, 'web[7]').warnings, ['the pattern "web[7]" matches no host']);
  t.deepEqual(selectHosts(inventory, 'web').warnings, []);
});

test('the limit narrows the pattern', (t) => {
  t.deepEqual(selectHosts(inventory, 'all', 'web02,db1').hosts, ['web02', 'db1']);
  t.deepEqual(selectHosts(inventory, 'web', '!web02').hosts, ['web01', 'web03']);
  t.deepEqual(selectHosts(inventory, 'web', 'db').hosts, ['web01']);
});

test('a mistyped limit is an error that lists near names', (t) => {
  const error = t.throws(() => selectHosts(inventory, 'all', 'web1,dbs'), { instanceOf: UserError });
  t.deepEqual(
    error.problems.map(({ message, hint }) => [message, hint]),
    [
      ['--limit: "web1" matches no host or group of the inventory', 'did you mean "web" or "web01"?'],
      ['--limit: "dbs" matches no host or group of the inventory', 'did you mean "db" or "db1"?'],
    ],
  );
});

test('a limit like nothing there is answered with what there is', (t) => {
  const error = t.throws(() => selectHosts(inventory, 'all', 'zzz'), { instanceOf: UserError });
  t.regex(error.problems[0]?.hint ?? '', /^there are all, ungrouped, web, /);
});

test('a limit may stand in a file', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'limit-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'failed');
  writeFileSync(file, '# from the last run\nweb02\n\nweb03\n');
  t.deepEqual(selectHosts(inventory, 'all', `@${file}`).hosts, ['web02', 'web03']);
  t.throws(() => selectHosts(inventory, 'all', '@/no/such/file'), {
    message: '--limit: there is no file /no/such/file',
  });
});

test('localhost is there without being listed, and not among all', (t) => {
  t.deepEqual(selectHosts(inventory, 'localhost'), { hosts: ['localhost'], warnings: [] });
  t.deepEqual(selectHosts(inventory, '127.0.0.1').hosts, ['localhost']);
  t.false(selectHosts(inventory, 'all').hosts.includes('localhost'));
});

test('a pattern that is no regular expression is refused', (t) => {
  t.throws(() => selectHosts(inventory, '~web('), {
    instanceOf: UserError,
    message: /not a valid regular expression/,
  });
});
