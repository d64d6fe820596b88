import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { parse } from 'yaml';
import { hostsYaml, type InventoryInput, knownHosts, sshConfig } from '../../src/lab/inventory-files.ts';
import { DEFAULT_SERVERS, labHosts, labNetwork } from '../../src/lab/layout.ts';

const HOSTS = labHosts(DEFAULT_SERVERS);

const input: InventoryInput = {
  lab: 'lab',
  directory: "/home/o'neil/my project/100%/inventory/lab",
  debian: '13',
  hosts: HOSTS,
  monitoring: false,
  network: labNetwork(0),
  hostKeys: new Map(HOSTS.map((host) => [host.name, [`ssh-ed25519 AAAA${host.name} root@${host.name}`]])),
};

interface Inventory {
  readonly all: {
    readonly vars: Readonly<Record<string, unknown>>;
    readonly children: Readonly<
      Record<string, { readonly hosts: Readonly<Record<string, Record<string, unknown>>> }>
    >;
  };
}

test('the inventory has the groups of the stack', (t) => {
  const { all } = parse(hostsYaml(input)) as Inventory;
  const groups = Object.entries(all.children).map(([name, group]) => [name, Object.keys(group.hosts)]);
  t.deepEqual(Object.fromEntries(groups), {
    balancers: ['lb1', 'lb2'],
    servers: ['web1', 'web2', 'web3'],
    spare: ['mon1'],
    acme_test_authority: ['mon1'],
  });
  t.like(all.vars, { lab: true, vip: '10.83.0.100', vip2: '10.83.0.101', mysql_package_source: 'lab' });
});

test('the spare host watches the site where that is asked for', (t) => {
  const { all } = parse(hostsYaml({ ...input, monitoring: true })) as Inventory;
  t.deepEqual(Object.keys(all.children['monitoring']?.hosts ?? {}), ['mon1']);
});

test('a lab of five servers has them and their databases in its inventory', (t) => {
  const { all } = parse(hostsYaml({ ...input, hosts: labHosts(5) })) as Inventory;
  const servers = Object.entries(all.children['servers']?.hosts ?? {});
  t.deepEqual(
    servers.map(([name, host]) => [name, host['mysql_instance'], host['back_address']]),
    [1, 2, 3, 4, 5].map((place) => [`web${place}`, `db${place}`, `10.83.1.2${place}`]),
  );
});

test('the database of Debian 12 is the one that it has', (t) => {
  const { all } = parse(hostsYaml({ ...input, debian: '12' })) as Inventory;
  t.false('mysql_package_source' in all.vars);
});

test('servers are reached through a balancer and carry the names of their databases', (t) => {
  const { all } = parse(hostsYaml(input)) as Inventory;
  const web2 = all.children['servers']?.hosts['web2'];
  t.like(web2, { ansible_host: '10.83.1.22', mysql_instance: 'db2', back_interface: 'back0' });
  t.deepEqual(web2?.['understudy_jumps'], ['lb1', 'lb2']);
  t.is(web2?.['front_address'], undefined);
  const lb1 = all.children['balancers']?.hosts['lb1'];
  t.like(lb1, { ansible_host: '10.83.0.11', front_interface: 'front0', back_address: '10.83.1.11' });
  t.is(lb1?.['understudy_jumps'], undefined);
});

test('every name and address of a host has its key in known_hosts', (t) => {
  const lines = knownHosts(input).trim().split('\n');
  t.is(lines[0], 'lb1,10.83.0.11,10.83.1.11 ssh-ed25519 AAAAlb1');
  t.is(lines[2], 'web1,10.83.1.21 ssh-ed25519 AAAAweb1');
  t.is(lines.length, HOSTS.length);
});

test('OpenSSH reads the configuration as it is meant', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'understudy-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const file = join(directory, 'config');
  await writeFile(file, sshConfig({ ...input, directory }));
  for (const name of ['web1', '10.83.1.21']) {
    const options = execFileSync('ssh', ['-G', '-F', file, name], { encoding: 'utf8' });
    t.regex(options, /^hostname 10\.83\.1\.21$/m);
    t.regex(options, /^user debian$/m);
    t.regex(options, /^stricthostkeychecking true$/m);
    t.true(options.includes(`identityfile ${directory}/id_ed25519\n`));
    t.regex(options, /^proxycommand sh -c .* lb1 \|\| exec .* lb2/m);
  }
  t.notRegex(execFileSync('ssh', ['-G', '-F', file, 'lb1'], { encoding: 'utf8' }), /^proxycommand/m);
});
