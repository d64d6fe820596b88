import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test, { type ExecutionContext } from 'ava';

import { loadInventory } from '../../src/inventory/load.ts';
import type { Inventory } from '../../src/inventory/inventory.ts';
import { UserError } from '../../src/lib/errors.ts';
import { toPlain } from '../../src/lib/value.ts';

const cases = fileURLToPath(new URL('cases', import.meta.url));

/** What Ansible's own inventory and variable managers say of the same files. */
interface Expected {
  readonly hosts: Record<string, Record<string, unknown>>;
  readonly groups: Record<string, readonly string[]>;
  readonly depth: readonly (readonly [group: string, depth: number])[];
}

for (const [name, path] of [
  ['ini', 'ini/hosts'],
  ['yaml', 'yaml'],
  ['directory', 'directory'],
] as const) {
  test(`the ${name} inventory is what Ansible makes of it`, (t) => {
    const inventory = loadInventory(join(cases, path));
    const expected = JSON.parse(readFileSync(join(cases, `${name}.expected.json`), 'utf8')) as Expected;
    t.deepEqual([...inventory.hosts.keys()], Object.keys(expected.hosts));
    for (const host of inventory.hosts.keys()) {
      t.deepEqual(variables(inventory, host), expected.hosts[host], host);
    }
    t.deepEqual(Object.fromEntries(inventory.groups), expected.groups);
    t.deepEqual(
      [...inventory.groupTree.values()].map((group) => [group.name, group.depth]).sort(),
      [...expected.depth].map((pair) => [...pair]).sort(),
    );
  });
}

test('an .ini file in a directory is left out, as Ansible does, and said to be', (t) => {
  const { hosts, warnings } = loadInventory(join(cases, 'directory'));
  t.false(hosts.has('z'));
  t.deepEqual(
    warnings.map((warning) => warning.message),
    [
      `${join(cases, 'directory', 'old.ini')} is left out: Ansible ignores .ini files in an inventory directory`,
    ],
  );
});

test('the groups of a host are in the order of their variables', (t) => {
  const { hosts } = loadInventory(join(cases, 'yaml'));
  t.deepEqual(hosts.get('db1')?.groups, ['all', 'europe', 'second', 'db']);
});

test('a list of names is an inventory', (t) => {
  const inventory = loadInventory('web[1:2],db:2222,');
  t.deepEqual([...inventory.hosts.keys()], ['web1', 'web2', 'db']);
  t.deepEqual(inventory.groups.get('ungrouped'), ['web1', 'web2', 'db']);
  t.deepEqual(variables(inventory, 'db'), { ansible_port: 2222 });
});

test('the inventory knows where it is', (t) => {
  t.like(loadInventory(join(cases, 'yaml')), {
    directory: join(cases, 'yaml'),
    file: join(cases, 'yaml', 'hosts.yml'),
  });
  t.like(loadInventory(join(cases, 'ini/hosts')), {
    directory: join(cases, 'ini'),
    file: join(cases, 'ini/hosts'),
  });
});

test('an inventory that is not there is said to be missing', (t) => {
  const error = t.throws(() => loadInventory('/no/such/inventory'), { instanceOf: UserError });
  t.is(error.problems[0]?.message, 'there is no inventory /no/such/inventory');
});

interface Mistake {
  readonly file: string;
  readonly text: string;
  readonly messages: readonly string[];
}

const mistakes = JSON.parse(readFileSync(join(cases, 'mistakes.json'), 'utf8')) as readonly Mistake[];

for (const { file, text, messages } of mistakes) {
  test(`${file} with ${JSON.stringify(text)} is refused`, (t) => {
    withFile(t, file, text, (path) =>
      t.deepEqual(
        problemsOf(path).map((message) => message.replaceAll(`${dirname(path)}/`, '')),
        messages,
      ),
    );
  });
}

test('an inventory script is not run but refused', (t) => {
  withFile(t, 'hosts.sh', '#!/bin/sh\necho {}\n', (path) => {
    chmodSync(path, 0o755);
    t.deepEqual(problemsOf(path), [`${path}: inventory scripts are not supported`]);
  });
});

test('mistakes in all files are reported at once', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'inventory-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'a'), '[web]\nweb[2:1]\n');
  writeFileSync(join(directory, 'b.yml'), 'db: [x]\n');
  const error = t.throws(() => loadInventory(directory), { instanceOf: UserError });
  t.is(error.problems.length, 2);
});

function variables(inventory: Inventory, host: string): Record<string, unknown> {
  const merged: Record<string, unknown> = {};
  for (const layer of inventory.hosts.get(host)?.layers ?? []) Object.assign(merged, toPlain(layer.values));
  return merged;
}

function problemsOf(path: string): readonly string[] {
  try {
    loadInventory(path);
    return [];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.problems.map(({ location, message, hint }) => {
      const place = location ? `${location.line}:${location.column}: ` : '';
      return `${place}${message}${hint === undefined || location === undefined ? '' : ` (${hint})`}`;
    });
  }
}

function withFile(t: ExecutionContext, name: string, text: string, use: (path: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), 'inventory-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const path = join(directory, name);
  writeFileSync(path, text);
  use(path);
}

test('an inventory that ansible-vault encrypted is told to be', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-vault-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  for (const name of ['hosts', 'vault.yml']) {
    const file = join(directory, name);
    writeFileSync(file, '$ANSIBLE_VAULT;1.1;AES256\n3061\n');
    const error = t.throws(() => loadInventory(file), { instanceOf: UserError });
    t.regex(error.message, /:1:1: this is encrypted with Ansible Vault/);
  }
});
