import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test, { type ExecutionContext } from 'ava';
import { parse } from 'yaml';

import { siteVariables } from '../../src/commands/failover/variables.ts';
import { loadInventory } from '../../src/inventory/load.ts';
import { run } from '../../src/lib/process.ts';
import { SecretRegistry } from '../../src/lib/secret.ts';
import type { Value } from '../../src/lib/value.ts';
import { needsProgram, testWith } from '../needs.ts';

const playbooks = fileURLToPath(new URL('../../playbooks/', import.meta.url));
const withAmtool = testWith(needsProgram('amtool', 'prometheus-alertmanager'), test);

const EMAIL =
  'monitoring_email: { to: [a@foobar.com, b@foobar.com], from: site@foobar.com, smarthost: "mail:587"';
const ALL = `${EMAIL}, username: site, password: 'it''s {{ "secret" }}' }
        monitoring_webhooks: [http://hooks.foobar.com/one, http://hooks.foobar.com/two]
        monitoring_slack: { url: "https://slack.foobar.com/x", channel: "#site" }
        monitoring_pagerduty: { routing_key: "0123", url: "https://pager.foobar.com/v2/enqueue" }
        monitoring_watchdog_url: https://switch.foobar.com/abc`;

/** A variable of a host of a site whose monitoring has these hosts and these variables. */
function variableOf(t: ExecutionContext, host: string, name: string, settings: string, hosts = 'mon1') {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-monitoring-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const watching = hosts
    .split(' ')
    .map((each, index) => `        ${each}: { back_address: 10.2.0.3${index + 1}, back_interface: eth0 }`);
  writeFileSync(
    join(directory, 'hosts.yml'),
    `all:
  vars: { vip: 10.1.0.100, front_network: 10.1.0.0/24, operator_address: 10.1.0.1, back_interface: eth1 }
  children:
    balancers:
      hosts:
        lb1: { ansible_host: 10.1.0.11, front_address: 10.1.0.11, back_address: 10.2.0.11 }
        lb2: { ansible_host: 10.1.0.12, front_address: 10.1.0.12, back_address: 10.2.0.12 }
    servers: { hosts: { web1: { back_address: 10.2.0.21, mysql_instance: db1 }, web2: { back_address: 10.2.0.22, site_serves: false } } }
    monitoring:
      vars:
        some: thing
        ${settings}
      hosts:
${watching.join('\n')}
`,
  );
  const variables = siteVariables({
    inventory: loadInventory(join(directory, 'hosts.yml')),
    playbookDirectory: playbooks,
    extraVars: new Map<Value, Value>([
      ['probe', `{{ ${name} }}`],
      ['item', new Map([['name', 'prometheus-alertmanager']])],
    ]),
    secrets: new SecretRegistry(),
    roles: ['monitoring'],
  });
  return variables.of(host).get('probe');
}

function template(t: ExecutionContext, name: string, settings: string, hosts?: string): string {
  const lookup = `lookup('ansible.builtin.template', '${playbooks}roles/monitoring/templates/${name}')`;
  return String(variableOf(t, 'mon1', lookup, settings, hosts));
}

interface Receiver {
  readonly name: string;
  readonly email_configs?: readonly {
    readonly to: string;
    readonly auth_password?: string;
    readonly text: string;
  }[];
  readonly webhook_configs?: readonly { readonly url: string }[];
}

for (const [what, settings] of [
  ['nobody', 'other: thing'],
  ['everybody', ALL],
  ['a mail server without a password', `${EMAIL}, require_tls: false }`],
] as const) {
  withAmtool(`Alertmanager takes a configuration that tells ${what}`, async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'understudy-alertmanager-'));
    t.teardown(() => rmSync(directory, { recursive: true }));
    const file = join(directory, 'alertmanager.yml');
    writeFileSync(file, template(t, 'alertmanager.yml.j2', settings));
    const checked = await run(['amtool', 'check-config', file]);
    t.is(checked.status, 0, checked.stdout + checked.stderr);
  });
}

test('each is told by its own way, with the words of Alertmanager’s templates', (t) => {
  const { receivers } = parse(template(t, 'alertmanager.yml.j2', ALL)) as { receivers: readonly Receiver[] };
  const of = (name: string): Receiver | undefined => receivers.find((each) => each.name === name);
  t.deepEqual(of('watchdog')?.webhook_configs, [
    { url: 'https://switch.foobar.com/abc', send_resolved: false },
  ] as never);
  const [mail] = of('everybody')?.email_configs ?? [];
  t.is(mail?.to, 'a@foobar.com, b@foobar.com');
  t.is(mail?.auth_password, `it's secret`);
  t.regex(mail?.text ?? '', /^\{\{ range \.Alerts \}\}.*\n\{\{ end \}\}$/);
  t.deepEqual(
    of('everybody')?.webhook_configs?.map(({ url }) => url),
    ['http://hooks.foobar.com/one', 'http://hooks.foobar.com/two'],
  );
});

interface Job {
  readonly job_name: string;
  readonly static_configs: readonly {
    readonly targets: readonly string[];
    readonly labels: Readonly<Record<string, string>>;
  }[];
}

test('every host is read under its name, and the site asked at its address', (t) => {
  const { scrape_configs: jobs } = parse(template(t, 'prometheus.yml.j2', 'other: thing')) as {
    scrape_configs: readonly Job[];
  };
  const targets = (name: string): readonly string[] =>
    (jobs.find((job) => job.job_name === name)?.static_configs ?? []).map(
      (each) => `${each.labels['instance']} ${each.targets.join()}`,
    );
  t.deepEqual(targets('node'), [
    'lb1 10.2.0.11:9100',
    'lb2 10.2.0.12:9100',
    'web1 10.2.0.21:9100',
    'web2 10.2.0.22:9100',
    'mon1 10.2.0.31:9100',
  ]);
  t.deepEqual(targets('nginx'), ['web1 10.2.0.21:9113']);
  t.deepEqual(targets('failover'), ['lb1 10.2.0.11:9463', 'lb2 10.2.0.12:9463']);
  t.deepEqual(targets('site'), ['www.foobar.com https://10.1.0.100:443/']);
  t.deepEqual(targets('valkey'), []);
});

test('two hosts of the monitoring agree on who tells, and one has nobody to agree with', (t) => {
  const unit = `lookup('ansible.builtin.template', '${playbooks}roles/monitoring/templates/unit.conf.j2')`;
  t.regex(
    String(variableOf(t, 'mon1', unit, 'other: thing', 'mon1 mon2')),
    / --cluster\.listen-address=10\.2\.0\.31:9094 --cluster\.peer=10\.2\.0\.32:9094\n/,
  );
  t.regex(String(variableOf(t, 'mon1', unit, 'other: thing')), / --cluster\.listen-address=\n/);
});

test('the ports of figures are open to the monitoring, and closed without it', (t) => {
  const rules = (host: string, settings: string) =>
    (variableOf(t, host, 'firewall_rules', settings) as readonly Map<string, unknown>[]).filter((rule) =>
      String(rule.get('name')).startsWith('metrics'),
    );
  for (const host of ['lb1', 'web1']) {
    const [rule, ...others] = rules(host, 'other: thing');
    t.deepEqual(rule?.get('from'), ['10.2.0.31']);
    t.deepEqual(others, []);
    t.deepEqual(rules(host, 'site_monitoring: false'), []);
  }
});
