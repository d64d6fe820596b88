import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test from 'ava';
import { parse } from 'yaml';

import { ROLES, siteVariables } from '../../src/commands/failover/variables.ts';
import type { Cluster } from '../../src/failover/cluster/cluster.ts';
import { loadInventory } from '../../src/inventory/load.ts';
import { SecretRegistry } from '../../src/lib/secret.ts';
import { namesFileSchema } from '../../src/site/dns/spec.ts';
import type { Dict, Value } from '../../src/lib/value.ts';

const playbooks = fileURLToPath(new URL('../../playbooks/', import.meta.url));

function read(path: string): string {
  return readFileSync(join(playbooks, path), 'utf8');
}

function variablesIn(path: string): readonly string[] {
  return Object.keys((parse(read(path)) ?? {}) as object);
}

const files = readdirSync(playbooks, { recursive: true, encoding: 'utf8' }).filter((file) =>
  /\.(yml|j2)$/.test(file),
);
const roles = readdirSync(join(playbooks, 'roles'));
const defaultsOf = new Map(
  roles.map((role) => {
    const file = `roles/${role}/defaults/main.yml`;
    return [role, files.includes(file) ? variablesIn(file) : []] as const;
  }),
);
const owned = new Set([...defaultsOf.values()].flat());
const shared = (parse(read('group_vars/all.yml')) as { site_defaults: Readonly<Record<string, unknown>> })
  .site_defaults;

/** What stands for a variable that its host does not set, where that is no value of the roles. */
const STAND_INS: Readonly<Record<string, RegExp>> = {
  mysql_instance: /^host\)/,
  mysql_address: /^hostvars\[host\]\.back_address\)/,
  keepalived_interface: /^hostvars\[host\]\.front_interface\)/,
  etcd_addresses: /^\{\}\)/,
  etcd_group: /^'servers'\)/,
  // The first play chooses its hosts before the variables beside the playbook count.
  tls_certificates: /^''\)/,
  mysql_package_source: /^'distribution'\)/,
  mysql_upstream_key: /^''\)/,
  mysql_upstream_uri: /^''\)/,
};
const STAND_IN_TEXTS = new Set(["'servers'", "'distribution'"]);

/** What a file lets the template engine work out: no comments, no prose, no literal texts. */
function expressions(file: string): string {
  const text = read(file).replaceAll(/\{#[\s\S]*?#\}/g, '');
  const found = [...text.matchAll(/\{\{[\s\S]*?\}\}|\{%[\s\S]*?%\}/g)].map(([part]) => part);
  const bare = /^( *)(?:when|that|until|changed_when|failed_when): (.*(?:\n\1 +.*)*)/gm;
  if (file.endsWith('.yml')) found.push(...[...text.matchAll(bare)].map(([, , part = '']) => part));
  return found
    .join('\n')
    .replaceAll(/'[^'\n]*'/g, (literal) => (STAND_IN_TEXTS.has(literal) ? literal : "''"));
}

test('a default that several roles or hosts know stands once, in site_defaults', (t) => {
  for (const [role, names] of defaultsOf) {
    const values =
      names.length === 0 ? {} : (parse(read(`roles/${role}/defaults/main.yml`)) as Record<string, unknown>);
    for (const name of names) {
      if (name in shared) t.is(values[name], `{{ site_defaults.${name} }}`, `${role}: ${name}`);
    }
  }
  const many = [...owned].filter(
    (name) => [...defaultsOf.values()].filter((names) => names.includes(name)).length > 1,
  );
  for (const name of many) t.true(name in shared || name.endsWith('_password'), name);
});

test('what a host decides is asked of that host, and has no second default', (t) => {
  const complaints = files.flatMap((file) => {
    const own = new Set(defaultsOf.get(/^roles\/([^/]+)\//.exec(file)?.[1] ?? ''));
    const text = expressions(file);
    return [...owned].flatMap((name) =>
      [...text.matchAll(new RegExp(`(?<before>[^\\s,(]*)\\b${name}\\b(?<after>[^\\n]*)`, 'g'))]
        .filter(({ groups = {} }) => !isAskedRight(name, groups['before'] ?? '', groups['after'] ?? '', own))
        .map(([line]) => `${file}: ${line}`),
    );
  });
  t.deepEqual(complaints, []);
});

function isAskedRight(name: string, before: string, after: string, own: ReadonlySet<string>): boolean {
  if (before.endsWith('site_defaults.')) return true;
  const fallback = /^\s*\|\s*default\((.*)/.exec(after)?.[1];
  if (fallback === undefined)
    return !before.endsWith('.') && (own.has(name) || / is (not )?defined/.test(after));
  const shared = new RegExp(
    `^(failover_watch_source\\.|hostvars\\[[^\\]]+\\]\\.)?(site_defaults\\.${name}\\b|generated_${name}\\b)`,
  );
  return shared.test(fallback) || STAND_INS[name]?.test(fallback) === true;
}

const HOSTS = (all: string, balancers: string, servers: string, web2: string) => `all:
  vars: { vip: 10.1.0.100, front_network: 10.1.0.0/24, operator_address: 10.1.0.1${all} }
  children:
    balancers:
      vars: { front_interface: eth0, back_interface: eth1${balancers} }
      hosts:
        lb1: { ansible_host: 10.1.0.11, front_address: 10.1.0.11, back_address: 10.2.0.11 }
        lb2: { ansible_host: 10.1.0.12, front_address: 10.1.0.12, back_address: 10.2.0.12 }
    servers:
      vars: { back_interface: eth0${servers} }
      hosts:
        web1: { ansible_host: 10.2.0.21, back_address: 10.2.0.21, mysql_instance: db1 }
        web2: { ansible_host: 10.2.0.22, back_address: 10.2.0.22, mysql_instance: db2${web2} }
`;
const PASSWORDS = [
  'app_login',
  'valkey_app',
  'valkey_replica',
  'valkey_sentinel',
  'valkey_manager',
  'valkey_exporter',
  'mysql_app',
  'mysql_replication',
  'mysql_health',
  'mysql_failover',
  'mysql_backup',
  'etcd_failover',
  'etcd_root',
  'haproxy_stats',
];

/** A second cluster, whose hosts are servers, too. */
const ORDERS = `        sql1: { ansible_host: 10.2.0.31, back_address: 10.2.0.31, mysql_instance: db1 }
        sql2: { ansible_host: 10.2.0.32, back_address: 10.2.0.32, mysql_port: 3310, role_check_port: 9210 }
    orders_db:
      vars:
        mysql_group: orders_db
        failover_cluster: orders
        site_serves: false
        mysql_listener: { name: orders, writer: 3316, reader: 3317 }
      hosts: { sql1: {}, sql2: {} }
    shop_db:
      vars: { mysql_group: shop_db }
      hosts: { web1: {}, web2: {} }
`;

interface Where {
  /** More lines at the end of the inventory. */
  readonly more?: string;
  readonly all?: string;
  readonly balancers?: string;
  readonly servers?: string;
  readonly web2?: string;
  /** Files beside those of the passwords. */
  readonly beside?: Readonly<Record<string, string>>;
}

/** A template of a role as lb1 has it. */
function onBalancer(t: { teardown(work: () => void): void }, where: Where, template: string): string {
  return rendered(t, where, template, 'lb1');
}

function rendered(
  t: { teardown(work: () => void): void },
  where: Where,
  template: string,
  host: string,
  more: Dict = new Map(),
): string {
  const probe = `{{ lookup('ansible.builtin.template', '${playbooks}roles/${template}') }}`;
  return String(variableOf(t, where, host, 'probe', new Map<Value, Value>([...more, ['probe', probe]])));
}

function variableOf(
  t: { teardown(work: () => void): void },
  where: Where,
  host: string,
  name: string,
  more: Dict = new Map(),
): Value | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-variables-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const inventory = join(directory, 'hosts.yml');
  const also = (text: string | undefined): string => (text === undefined ? '' : `, ${text}`);
  writeFileSync(
    inventory,
    HOSTS(also(where.all), also(where.balancers), also(where.servers), also(where.web2)) + (where.more ?? ''),
  );
  mkdirSync(join(directory, 'secrets'));
  for (const name of PASSWORDS)
    writeFileSync(join(directory, `secrets/${name}_password`), `${name} generated\n`);
  for (const [name, text] of Object.entries(where.beside ?? {}))
    writeFileSync(join(directory, 'secrets', name), text);
  const variables = siteVariables({
    inventory: loadInventory(inventory),
    playbookDirectory: playbooks,
    extraVars: more,
    secrets: new SecretRegistry(),
    roles: [...ROLES, 'app'],
  });
  return variables.of(host).get(name);
}

test('what the watch is told of the names is what it reads, and its unit allows what that needs', (t) => {
  const all =
    "keepalived_mode: active-active, vip2: 10.1.0.101, site_dns: {names: [www.foobar.test], withdraw_after: 30, update: {server: 10.2.0.53, key_name: site, key_secret: 'c2VjcmV0'}}";
  const parsed = namesFileSchema.parse(
    JSON.parse(onBalancer(t, { all }, 'failover_watch/templates/names.json.j2')),
  );
  t.deepEqual(parsed.addresses, ['10.1.0.100', '10.1.0.101']);
  t.deepEqual(parsed.others, [{ name: 'lb2', address: '10.2.0.12', interface: 'eth0' }]);
  t.like(parsed.site_dns, { names: ['www.foobar.test'], withdraw_after: 30 });
  const unit = (watched: boolean): string =>
    rendered(
      t,
      { all },
      'failover_watch/templates/failover-watch.service.j2',
      'lb1',
      new Map<Value, Value>([
        ['failover_watch_names', watched],
        ['failover_watch_memory_mb', 300],
        ['failover_watch_metrics', false],
      ]),
    );
  t.regex(
    unit(true),
    / --names \/etc\/understudy\/names\.json$[^]*^CapabilityBoundingSet=.* CAP_NET_ADMIN$/m,
  );
  t.notRegex(unit(false), /--names|CAP_NET_ADMIN/);
});

const HAPROXY = 'haproxy/templates/haproxy.cfg.j2';
const CLUSTER = 'failover_watch/templates/cluster.json.j2';

const READ_ELSEWHERE: readonly (readonly [Where, string, RegExp, (RegExp | undefined)?])[] = [
  [{}, HAPROXY, /server web1 10\.2\.0\.21:80$/m],
  [{ all: 'nginx_port: 8081' }, HAPROXY, /server web2 10\.2\.0\.22:8081$/m],
  [{ servers: 'nginx_port: 8081' }, HAPROXY, /server web2 10\.2\.0\.22:8081$/m],
  [{ web2: 'nginx_port: 8081' }, HAPROXY, /server web2 10\.2\.0\.22:8081$/m, /10\.2\.0\.21:8081/],
  [{ all: 'mysql_port: 3310' }, HAPROXY, /server web1 10\.2\.0\.21:3310 /],
  [{ web2: 'mysql_port: 3310' }, HAPROXY, /server web2 10\.2\.0\.22:3310 /, /10\.2\.0\.21:3310/],
  [
    { web2: 'mysql_address: 10.3.0.22' },
    HAPROXY,
    /server web2 10\.3\.0\.22:3306 addr 10\.2\.0\.22 port 9201/,
  ],
  [
    { servers: 'role_check_port: 9301' },
    HAPROXY,
    /server web1 10\.2\.0\.21:3306 addr 10\.2\.0\.21 port 9301/,
  ],
  [{ servers: 'app_patience_seconds: 50' }, HAPROXY, /timeout server 70s/],
  [{ all: 'mysql_writer_port: 3316' }, HAPROXY, /bind 10\.2\.0\.11:3316/],
  [{ all: 'mysql_port: 3310' }, CLUSTER, /"port": 3310/],
  [{ servers: 'mysql_package_source: lab' }, CLUSTER, /"flavour": "mysql"/],
  [{}, CLUSTER, /"flavour": "mariadb"/],
  [{ servers: 'mysql_failover_password: of the servers' }, CLUSTER, /"password": "of the servers"/],
  [{ all: 'mysql_backup_password: of all' }, CLUSTER, /"backup": \{ "user": "backup", "password": "of all"/],
  [{ servers: 'mysql_failover_user: operator' }, CLUSTER, /"failover": \{ "user": "operator"/],
  [{ servers: 'etcd_client_port: 2479' }, CLUSTER, /"10\.2\.0\.21:2479"/],
  [{ web2: 'mysql_address: "fd00::22"' }, HAPROXY, /server web2 \[fd00::22\]:3306 addr 10\.2\.0\.22/],
  [{ balancers: 'haproxy_api_port: 9899' }, CLUSTER, /"apiPort": 9899/],
  [{ servers: 'failover_store: none' }, CLUSTER, /"etcd": \[\s*\]/],
  [{ all: 'failover_store: none' }, CLUSTER, /"etcd": \[\s*\]/],
  [{ balancers: 'failover_watch: false' }, CLUSTER, /"etcd": \[\s*\]/],
];

for (const [where, template, expected, not] of READ_ELSEWHERE) {
  test(`${JSON.stringify(where)} reaches ${template} as ${String(expected)}`, (t) => {
    const text = onBalancer(t, where, template);
    t.regex(text, expected);
    if (not) t.notRegex(text, not);
  });
}

const BOTH = 'etcd_members: [web1, web2]';
const SIX = `${BOTH}, etcd_addresses: { web1: "fd00::21", web2: "fd00::22" }`;
const ON_WEB2: readonly (readonly [string, Where, string, RegExp])[] = [
  ['server_id', {}, 'mysql/templates/mysql/option.cnf.j2', /^server_id = 167903254$/m],
  [
    'server_id',
    { web2: 'mysql_address: "fd00::22"' },
    'mysql/templates/mysql/option.cnf.j2',
    /^server_id = 3123614067$/m,
  ],
  [
    'server_id',
    { web2: 'mysql_address: db2.example.com' },
    'mysql/templates/mysql/option.cnf.j2',
    /^server_id = 1340324385$/m,
  ],
  [
    'an IPv6 address to listen on',
    { web2: 'mysql_address: "fd00::22"' },
    'mysql/templates/mysql/option.cnf.j2',
    /^bind_address = fd00::22,127\.0\.0\.1$/m,
  ],
  [
    'an IPv4 address for copies',
    {},
    'mysql/templates/mariadb/serve.sh.j2',
    /4444,bind=10\.2\.0\.22,reuseaddr/,
  ],
  [
    'an IPv6 address for copies',
    { web2: 'mysql_address: "fd00::22"' },
    'mysql/templates/mariadb/serve.sh.j2',
    /4444,pf=ip6,bind=\[fd00::22\],reuseaddr/,
  ],
  [
    'an IPv4 address in a URL',
    { all: BOTH },
    'etcd/templates/etcd.env.j2',
    /^ETCD_LISTEN_PEER_URLS=https:\/\/10\.2\.0\.22:2380$/m,
  ],
  [
    'an IPv6 address in a URL',
    { all: SIX },
    'etcd/templates/etcd.env.j2',
    /^ETCD_LISTEN_PEER_URLS=https:\/\/\[fd00::22\]:2380$/m,
  ],
  [
    'IPv6 addresses of all members',
    { all: SIX },
    'etcd/templates/ctl.sh.j2',
    /^ALL=https:\/\/\[fd00::21\]:2379,https:\/\/\[fd00::22\]:2379/m,
  ],
];

for (const [what, where, template, expected] of ON_WEB2) {
  test(`${what} is written right: ${JSON.stringify(where)} in ${template}`, (t) => {
    t.regex(rendered(t, where, template, 'web2'), expected);
  });
}

const NAMES: readonly (readonly [string, string])[] = [
  ['10.2.0.22', 'IP:10.2.0.22'],
  ['fd00::22', 'IP:fd00::22'],
  ['2001:DB8::A:1', 'IP:2001:DB8::A:1'],
  ['::ffff:10.2.0.22', 'IP:::ffff:10.2.0.22'],
  ['db2', 'DNS:db2'],
  ['db2.example.com', 'DNS:db2.example.com'],
  ['cafe', 'DNS:cafe'],
];

for (const [address, name] of NAMES) {
  test(`a certificate names ${address} as ${name}`, (t) => {
    const more = new Map<Value, Value>([
      ['authority_hosts', [['web2', 'db2', address]]],
      ['authority_prefix', ''],
      ['authority_common_name', ''],
    ]);
    const text = rendered(t, {}, 'authority/templates/certificates.sh.j2', 'web2', more);
    t.is(
      text.split('\n').at(-2),
      `one web2 web2 ${address === 'db2' ? 'DNS:web2,DNS:db2' : `DNS:web2,DNS:db2,${name}`}`,
    );
  });
}

const DEFINERS: readonly (readonly [string, RegExp])[] = [
  ['8.0.45-0ubuntu0.24.04.1', /CLONE_ADMIN, XA_RECOVER_ADMIN, SET_USER_ID ON/],
  ['8.2.0', /XA_RECOVER_ADMIN, SET_ANY_DEFINER, ALLOW_NONEXISTENT_DEFINER ON/],
  ['8.4.7', /XA_RECOVER_ADMIN, TRANSACTION_GTID_TAG, SET_ANY_DEFINER, ALLOW_NONEXISTENT_DEFINER ON/],
  ['9.7.4-2', /XA_RECOVER_ADMIN, TRANSACTION_GTID_TAG, SET_ANY_DEFINER, ALLOW_NONEXISTENT_DEFINER ON/],
];

for (const [version, expected] of DEFINERS) {
  test(`the failover's account has the privileges for definers of events and for tagged GTIDs that MySQL ${version} knows`, (t) => {
    const state = new Map<Value, Value>([['live', new Map<Value, Value>([['version', version]])]]);
    const more = new Map<Value, Value>([['mysql_state', state]]);
    t.regex(rendered(t, {}, 'mysql/templates/mysql/accounts.sql.j2', 'web1', more), expected);
  });
}

/** A section of haproxy.cfg, from its first line to the next empty one. */
const section = (text: string, head: string): string =>
  text.slice(text.indexOf(`\n${head}\n`) + 1).split('\n\n')[0] ?? '';

test('at the balancers each cluster has a writer, a reader and its own servers', (t) => {
  const text = onBalancer(t, { more: ORDERS }, HAPROXY);
  const servers = (head: string): readonly string[] =>
    [...section(text, head).matchAll(/^ +server (.*)$/gm)].map(([, line = '']) => line);
  t.regex(section(text, 'frontend mysql_writer'), /bind 10\.2\.0\.11:3306\n/);
  t.regex(section(text, 'frontend mysql_writer'), /lua\.await_writer_of mysql_primary\n/);
  t.regex(section(text, 'frontend orders_writer'), /bind 10\.2\.0\.11:3316\n/);
  t.regex(section(text, 'frontend orders_writer'), /lua\.await_writer_of orders_primary\n/);
  t.regex(section(text, 'frontend orders_reader'), /bind 10\.2\.0\.11:3317\n/);
  t.deepEqual(servers('backend mysql_primary'), [
    'web1 10.2.0.21:3306 addr 10.2.0.21 port 9201',
    'web2 10.2.0.22:3306 addr 10.2.0.22 port 9201',
  ]);
  t.deepEqual(servers('backend orders_primary'), [
    'sql1 10.2.0.31:3306 addr 10.2.0.31 port 9201',
    'sql2 10.2.0.32:3310 addr 10.2.0.32 port 9210',
  ]);
  // Hosts of the database alone get no visitors.
  t.deepEqual(servers('backend web'), ['web1 10.2.0.21:80', 'web2 10.2.0.22:80']);
});

test('the watch gets a description of each cluster', (t) => {
  const of = (group: string): unknown =>
    JSON.parse(rendered(t, { more: ORDERS }, CLUSTER, 'lb1', new Map([['failover_watch_group', group]])));
  t.like(of('shop_db'), { name: 'shop_db' });
  t.like(of('orders_db'), { name: 'orders' });
  t.deepEqual(
    (of('orders_db') as Cluster).instances.map(({ name, host }) => `${name}@${host}`),
    ['db1@sql1', 'sql2@sql2'],
  );
  t.deepEqual(
    (of('orders_db') as Cluster).balancers.map(({ backend }) => backend),
    ['orders_primary', 'orders_primary'],
  );
});

test('descriptions are known by the names of their clusters', (t) => {
  const value = (name: string, where: Where): Value | undefined => variableOf(t, where, 'lb1', name);
  t.deepEqual(value('site_clusters', { more: ORDERS }), ['shop_db', 'orders_db']);
  t.deepEqual(value('failover_watch_files', { more: ORDERS }), [
    '/etc/understudy/clusters/shop_db.json',
    '/etc/understudy/clusters/orders.json',
  ]);
  t.deepEqual(value('site_clusters', {}), ['servers']);
  t.deepEqual(value('failover_watch_files', { servers: 'failover_cluster: shop' }), [
    '/etc/understudy/clusters/shop.json',
  ]);
});

const ACCOUNTS = 'mysql/templates/mariadb/accounts.sql.j2';
const TWO_PASSWORDS = 'mysql/templates/mysql/two-passwords.sh.j2';

test('an account accepts what is beside its password while that is rotated, and nothing else does', (t) => {
  for (const name of ['mysql_app_password.new', 'mysql_app_password.old']) {
    const where = { beside: { [name]: "it's another\n" } };
    const sql = rendered(t, where, ACCOUNTS, 'web1');
    t.regex(
      sql,
      /PASSWORD\('mysql_app generated'\)\n +OR mysql_native_password USING PASSWORD\('it''s another'\)/,
    );
    t.is(sql.match(/ OR mysql_native_password/g)?.length, 1);
    const script = rendered(t, where, TWO_PASSWORDS, 'web1');
    t.deepEqual(script.match(/^both .*$/gm), [`both app 'mysql_app generated' 'it\\'"'"'s another'`]);
  }
});

test('what is beside a password is no second one when it is the same, half written, or not wanted any more', (t) => {
  const beside = { 'mysql_app_password.old': 'mysql_app generated\n', 'mysql_app_password.123.new': 'half' };
  t.notRegex(rendered(t, { beside }, ACCOUNTS, 'web1'), / OR mysql_native_password/);
  const alone = new Map([['mysql_one_password', ['mysql_health_password']]]);
  const health = { 'mysql_health_password.old': 'before\n' };
  t.regex(rendered(t, { beside: health }, ACCOUNTS, 'web1'), / OR mysql_native_password/);
  t.notRegex(rendered(t, { beside: health }, ACCOUNTS, 'web1', alone), / OR mysql_native_password/);
  t.notRegex(rendered(t, { beside: health }, TWO_PASSWORDS, 'web1', alone), /^both /m);
});

test('the text of the accounts, whose digest is kept, is the same on every host, and not while one is rotated', (t) => {
  for (const flavour of ['mysql', 'mariadb']) {
    const more = new Map<Value, Value>([['mysql_state', new Map([['live', null]])]]);
    const text = (host: string, where: Where = {}): string =>
      rendered(t, where, `mysql/templates/${flavour}/accounts.sql.j2`, host, more);
    t.is(text('web1'), text('web2'), flavour);
    const next = { beside: { 'mysql_backup_password.new': 'next' } };
    const other = { beside: { 'mysql_backup_password.new': 'another' } };
    t.is(new Set([text('web1'), text('web1', next), text('web1', other)]).size, 3, flavour);
  }
});

const hashed = (text: string): string => `#${createHash('sha256').update(text).digest('hex')}`;

test('an account of the store accepts what is beside its password, whichever of both is the present one', (t) => {
  const both = [hashed('valkey_app generated'), hashed('another')].sort().join(' ');
  for (const end of ['new', 'old']) {
    const where = { beside: { [`valkey_app_password.${end}`]: 'another\n' } };
    for (const template of ['users.acl.j2', 'sentinel-users.acl.j2']) {
      const text = rendered(t, where, `valkey/templates/${template}`, 'web1');
      t.true(text.includes(`\nuser app on ${both} `), text);
      t.true(text.includes(`\nuser manager on ${hashed('valkey_manager generated')} -@all`), text);
      const alone = new Map([['valkey_one_password', ['valkey_app_password']]]);
      const one = rendered(t, where, `valkey/templates/${template}`, 'web1', alone);
      t.true(one.includes(`\nuser app on ${hashed('valkey_app generated')} `), one);
    }
  }
  // Where an exchange was cut off, both are the same.
  const same = rendered(
    t,
    { beside: { 'valkey_app_password.old': 'valkey_app generated\n' } },
    'valkey/templates/users.acl.j2',
    'web1',
  );
  t.true(same.includes(`\nuser app on ${hashed('valkey_app generated')} ~sess`), same);
});

test('the app is told what else counts while its password and its key are changed', (t) => {
  const key = { app_session_key: 'present\n' };
  const lines = (name: string, beside: Readonly<Record<string, string>>, more?: Dict): Value | undefined =>
    variableOf(t, { beside: { ...key, ...beside } }, 'web1', name, more);
  const login = { 'app_login_password.new': 'next\n' };
  t.is(lines('app_login_lines', {}), 'app_login generated');
  t.is(lines('app_login_lines', login), 'app_login generated\nnext');
  t.is(
    lines('app_login_lines', login, new Map([['app_one_password', ['app_login_password']]])),
    'app_login generated',
  );
  const before = { 'app_session_key.before': 'first 1893456000\n' };
  for (const [beside, text] of [
    [{}, 'present'],
    [{ 'app_session_key.new': 'next\n' }, 'present\nnext'],
    [{ 'app_session_key.old': 'first\n' }, 'present\nfirst'],
    [{ 'app_session_key.old': 'present\n' }, 'present'],
    [{ 'app_session_key.old': 'first\n', ...before }, 'present\nfirst 1893456000'],
    [before, 'present\nfirst 1893456000'],
    [{ 'app_session_key.new': 'next\n', ...before }, 'present\nnext\nfirst 1893456000'],
  ] as const)
    t.is(lines('app_session_key_lines', beside), text);
});

test('whoever guesses passwords is limited, by form and by JSON', (t) => {
  const text = onBalancer(t, {}, 'haproxy/templates/haproxy.cfg.j2');
  for (const [name, path] of [
    ['login', '/login'],
    ['api_login', '/api/login'],
  ] as const) {
    t.true(
      text.includes(
        `str(${name}) if !exempt !{ var(txn.path_group) -m found } { path,url_dec -m beg ${path} } { method POST }`,
      ),
    );
    t.regex(text, new RegExp(`table path_${name} `));
  }
});
