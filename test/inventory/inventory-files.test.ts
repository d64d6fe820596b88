import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { loadInventory } from '../../src/inventory/load.ts';
import { UserError } from '../../src/lib/errors.ts';

const KEY =
  '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg "kept\nc3VwZXJzZWNyZXQ=\n-----END PRIVATE KEY-----\n';
const OPENSSH_KEY = KEY.replaceAll('PRIVATE KEY', 'OPENSSH PRIVATE KEY');
/** What no message may hold. */
const SECRET = /MIIEvQ|c3VwZXJ|hunter2|AAAAC3Nza|kept/;

/** Entries of an inventory directory that Ansible, or we, must not take for a source of hosts. */
const NO_SOURCES: Readonly<Record<string, string>> = {
  'secrets/mysql_app_password': 'hunter2 [',
  'secrets/mysql-tls/ca-key.pem': KEY,
  'secrets/failover-agent/id_ed25519': OPENSSH_KEY,
  'secrets/extra.yml': 'all: {hosts: {hunter2: }}',
  'secret/one': 'hunter2',
  'private/two': 'hunter2',
  'keys/deploy': OPENSSH_KEY,
  'private/hosts': 'hunter2',
  'tls/server': KEY,
  'group_vars/all.yml': 'a: hunter2',
  'host_vars/web1.yml': 'a: hunter2',
  'vars_plugins/x': 'hunter2',
  '.git/config': '[hunter2',
  '.vault_pass': 'hunter2',
  known_hosts: 'web1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5',
  'known_hosts.old': 'web1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5',
  authorized_keys: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5',
  id_rsa: OPENSSH_KEY,
  vault_password: 'hunter2',
  deploy: OPENSSH_KEY,
  fingerprint: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me@here',
  'ca.pem': KEY,
  'server.key': KEY,
  'server.crt': 'hunter2',
  'id_ed25519.pub': 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5',
  'old.bak': 'hunter2',
  'hosts~': 'hunter2',
  'README.md': 'hunter2',
  'notes.txt': 'hunter2',
  'ansible.cfg': '[defaults]\nhunter2',
  'failed.retry': 'hunter2',
  'understudy.lock': 'hunter2',
};

for (const [name, text] of Object.entries(NO_SOURCES)) {
  test(`${name} is no source of an inventory directory`, (t) => {
    const directory = withFiles(t, { [name]: text, 'site.yml': 'all: {hosts: {web1: }}\n' });
    t.deepEqual([...loadInventory(directory).hosts.keys()], ['web1']);
  });
}

test('an inventory directory without an inventory says what it looked for and what there is, and shows no secret', (t) => {
  const directory = withFiles(t, NO_SOURCES);
  const { problems } = refused(t, directory);
  t.is(problems.length, 1);
  const message = problems[0]?.message ?? '';
  t.true(
    message.startsWith(`the inventory directory ${directory} holds no inventory file: expected hosts.yml`),
  );
  t.regex(message, /found .*README.md.* and \d+ more$/);
  t.regex(problems[0]?.hint ?? '', /lab up/);
});

test('the directory of a lab that is down says what there is and what to do', (t) => {
  const directory = withFiles(t, { 'group_vars/all.yml': 'a: 1', 'secrets/db_password': 'hunter2' });
  const [problem] = refused(t, directory).problems;
  t.is(
    problem?.message,
    `the inventory directory ${directory} holds no inventory file: expected hosts.yml, found group_vars/, secrets/`,
  );
});

test('an inventory may be called private when it has a hosts file', (t) => {
  const directory = withFiles(t, { 'private/hosts.yml': 'all: {hosts: {web1: }}\n' });
  t.deepEqual([...loadInventory(join(directory, 'private')).hosts.keys()], ['web1']);
});

test('beside a hosts file, what is plainly an inventory is read, too, in the order of the names', (t) => {
  const directory = withFiles(t, {
    'hosts.yml': 'all: {hosts: {web1: {size: 1}, web2: }}\n',
    'kinds.yml': 'big: {hosts: {web1: {size: 2}}, vars: {kind: big}}\nsmall: {children: {big: }}\n',
    'another.json': '{"early": {"hosts": {"web3": {}}}}',
    'notes.yml': 'web1: {owner: ann}\n',
    'list.yml': '- web9\n',
    'broken.yml': 'a: [\n',
    'releases.json': '{"current": "a1", "hosts": ["web9"]}',
    'secrets.yml': 'all: {hosts: {web9: }}\n',
  });
  const { hosts, groups, warnings } = loadInventory(directory);
  t.deepEqual([...hosts.keys()].sort(), ['web1', 'web2', 'web3']);
  t.deepEqual(groups.get('small'), ['web1']);
  t.deepEqual(warnings, []);
});

test('an inventory plugin beside a hosts file is refused, and not passed over', (t) => {
  const directory = withFiles(t, { 'hosts.yml': 'all: {hosts: {web1: }}\n', 'aws.yml': 'plugin: aws_ec2\n' });
  t.regex(refused(t, directory).problems[0]?.message ?? '', /plugins are not supported/);
});

test('an empty inventory directory says so', (t) => {
  const { problems } = refused(t, withFiles(t, {}));
  t.regex(problems[0]?.message ?? '', /found nothing/);
});

test('a file whose extension is unknown is left out with a warning', (t) => {
  const directory = withFiles(t, { 'hosts.prod': '[web\n', 'site.yml': 'all: {hosts: {web1: }}\n' });
  t.deepEqual(
    loadInventory(directory).warnings.map(({ message }) => message),
    [
      `${join(directory, 'hosts.prod')} is left out: an inventory file ends in .yml, .yaml or .json, or has no extension`,
    ],
  );
});

test('a directory called hosts is no hosts file, but one of several sources', (t) => {
  const directory = withFiles(t, { 'hosts/web': 'web1\n', db: 'db1\n' });
  t.deepEqual([...loadInventory(directory).hosts.keys()].sort(), ['db1', 'web1']);
});

test('a link that leads nowhere is a problem of its own', (t) => {
  const directory = withFiles(t, { db: 'db1\n' });
  symlinkSync(join(directory, 'gone'), join(directory, 'web'));
  t.regex(refused(t, directory).problems[0]?.message ?? '', /cannot read .*web: .*ENOENT/);
});

for (const name of ['secrets', 'secrets/ca-key.pem', 'key']) {
  test(`${name} given as the inventory is refused without being shown`, (t) => {
    const directory = withFiles(t, { 'secrets/ca-key.pem': KEY, 'secrets/db_password': 'hunter2', key: KEY });
    refused(t, join(directory, name));
  });
}

for (const [name, text] of [
  ['secrets/hosts', '[web]\nweb1 "hunter2\n'],
  ['secrets/hosts.yml', 'all: {hosts: {web1: {password: *hunter2}}}\n'],
  ['secrets.yml', 'all:\n  vars:\n  - hunter2\n'],
] as const) {
  test(`a mistake in an inventory ${name} is told without its text`, (t) => {
    const directory = withFiles(t, { [name]: text });
    const [problem] = refused(t, join(directory, name)).problems;
    t.is(problem?.location?.file, join(directory, name));
  });
}

test('a mistake in variables that a link takes from secrets is told without its text', (t) => {
  const directory = withFiles(t, {
    'hosts.yml': 'all: {hosts: {web1: }}\n',
    'secrets/vars': 'a: "hunter2\n',
  });
  mkdirSync(join(directory, 'group_vars'));
  symlinkSync('../secrets/vars', join(directory, 'group_vars/all.yml'));
  refused(t, directory);
});

function withFiles(t: ExecutionContext, files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'inventory-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return directory;
}

function refused(t: ExecutionContext, path: string): UserError {
  const error = t.throws(() => loadInventory(path), { instanceOf: UserError });
  t.notRegex(error.message, SECRET);
  return error;
}
