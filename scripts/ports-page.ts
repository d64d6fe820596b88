import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { parse } from 'yaml';

import { ROOT } from './common.ts';

/** A rule of the role firewall, as group_vars has it. */
interface Rule {
  readonly name: string;
  readonly ports?: string | readonly (number | string)[];
  readonly proto?: string;
  readonly from: string | readonly string[];
  readonly interface?: string;
}

type Variables = Readonly<Record<string, unknown>>;

/** Who is meant by the variables that rules take addresses from. */
const PEOPLE: readonly (readonly [variable: string, one: string, others: string])[] = [
  ['operator_addresses', 'the operators', 'the operators'],
  ['balancer_front_addresses', 'the balancers', 'the other balancers'],
  ['balancer_back_addresses', 'the balancers', 'the other balancers'],
  ['server_back_addresses', 'the servers', 'the other servers'],
  ['monitoring_back_addresses', 'the monitoring', 'the other host of the monitoring'],
];

/** Which ports of which hosts are open to whom, as the firewall's rules have it. */
export function portsPage(notice: string): string {
  return `${notice}

# What each port is for

Everything else is closed, on every host ([site.md](site.md#firewall-ssh-time)). Rules of your own are
\`firewall_extra_rules\`. A port moves with its variable on all hosts that use it
([site.md](site.md#ports)).

The front network is the clients', the back network that between balancers and servers.

## On a balancer

${portsTable('balancers')}

## On a server

${portsTable('servers')}

## On a host of the monitoring

${portsTable('monitoring')}

Metrics have their rules where the inventory has hosts that watch ([monitoring.md](monitoring.md)), the pair where there are two of
them. HTTP/3 has its rule with \`haproxy_http3\`, the copies with MariaDB, etcd where the failover keeps its store there. A server that
carries only the database, or only the app, has the same rules: behind the others nobody listens.

## Inside a host

Nobody else reaches these; \`provision\` and \`failover\` come to them through SSH.

| port | on | what for | variable |
| --- | --- | --- | --- |
| 9999 | balancers | HAProxy's runtime API | \`haproxy_api_port\` |
| 9997 | balancers that watch | the live page of the site | \`failover_page_port\` |
| 9998 | the one balancer that keeps the failover's files, without etcd | lock, memory and journal | \`failover_keeper_port\` |
| 3000 | servers | the app, behind Nginx | \`app_port\` |
| 8407 | servers | Nginx's own figures | \`nginx_status_port\` |
| 9090 | monitoring | Prometheus | \`prometheus_port\` |
| 9093 | monitoring | Alertmanager | \`alertmanager_port\` |
| 9115 | monitoring | what asks the site as a visitor does | \`blackbox_port\` |
`;
}

/** What a group's hosts may be asked for from elsewhere: all lists of rules in that file. */
function portsTable(group: 'balancers' | 'servers' | 'monitoring'): string {
  const variables = variablesOf(`${group}.yml`);
  const { site_defaults: defaults } = variablesOf('all.yml') as { readonly site_defaults: Variables };
  const rules = Object.entries(variables).flatMap(([name, value]) =>
    name.endsWith('_rules') && Array.isArray(value) ? (value as readonly Rule[]) : [],
  );
  return [
    '| port | from | network | what for | variable |',
    '| --- | --- | --- | --- | --- |',
    ...rules.map((rule) => rowOf(rule, defaults)),
  ].join('\n');
}

function rowOf(rule: Rule, defaults: Variables): string {
  const written = JSON.stringify(rule.ports ?? '');
  const names = [...written.matchAll(/(\w+) \| default\(site_defaults\.(\w+)\)/g)].map(
    ([, , name = '']) => name,
  );
  const fixed = Array.isArray(rule.ports) ? rule.ports.filter((port) => typeof port === 'number') : [];
  const ports = [...fixed, ...names.map((name) => defaults[name])].map(String);
  if (ports.length === 0 && rule.ports !== undefined)
    throw new Error(`no port is known of the rule "${rule.name}"`);
  const proto = rule.proto ?? 'tcp';
  const more = written.includes('site_listener_ports')
    ? ', and those of more clusters (`mysql_listener`)'
    : '';
  const port =
    ports.length === 0
      ? `protocol ${proto}`
      : `${ports.join(', ')}${proto === 'tcp' ? '' : ` (${proto})`}${more}`;
  const network = /\w+(?=_interface)/.exec(rule.interface ?? '')?.[0] ?? 'any';
  return `| ${port} | ${fromOf(rule)} | ${network} | ${rule.name} | ${names.map((name) => `\`${name}\``).join(', ')} |`;
}

function fromOf({ name, from }: Rule): string {
  const written = String(from);
  if (written === 'any') return 'anybody';
  const people = PEOPLE.flatMap(([variable, one, others]) => {
    if (!written.includes(variable)) return [];
    return [new RegExp(`${variable}\\s*\\|\\s*difference`).test(written) ? others : one];
  });
  if (people.length === 0) throw new Error(`nobody is known whom the rule "${name}" lets in: ${written}`);
  return people.join(', ');
}

function variablesOf(file: string): Variables {
  return parse(readFileSync(join(ROOT, 'playbooks/group_vars', file), 'utf8')) as Variables;
}
