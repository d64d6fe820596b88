import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test, { type ExecutionContext } from 'ava';

import { run } from '../../../src/lib/process.ts';

const PROGRAM = fileURLToPath(new URL('../../../src/bin/provision.ts', import.meta.url));

const INVENTORY = (monitoring: string): string => `all:
  vars: { vip: 10.1.0.100, front_network: 10.1.0.0/24, operator_address: 10.1.0.1 }
  children:
    balancers: { hosts: { lb1: { ansible_host: 10.1.0.11, front_address: 10.1.0.11, back_address: 10.2.0.11 } } }
    servers: { hosts: { web1: { ansible_host: 10.2.0.21, back_address: 10.2.0.21 } } }
${monitoring}`;
const HERE = '    monitoring: { hosts: { mon1: { ansible_connection: local, back_address: 10.2.0.31 } }';

async function open(t: ExecutionContext, monitoring: string, ...args: readonly string[]) {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-open-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const inventory = join(directory, 'hosts.yml');
  writeFileSync(inventory, INVENTORY(monitoring));
  return await run([process.execPath, PROGRAM, 'open', ...args, '-i', inventory], { timeoutMs: 60_000 });
}

const REFUSED: readonly (readonly [string, string, readonly string[], RegExp])[] = [
  [
    'a site without monitoring',
    '',
    ['prometheus'],
    /has no hosts that watch the others\n.*the group monitoring/,
  ],
  [
    'a site whose monitoring is switched off',
    `${HERE}, vars: { site_monitoring: false } }`,
    ['prometheus'],
    /has no hosts that watch the others/,
  ],
  ['a host that is this machine', `${HERE} }`, ['alertmanager'], /mon1 is this machine/],
  ['an unknown service', `${HERE} }`, ['grafana'], /Allowed choices are prometheus, alertmanager/],
  ['a port that is none', `${HERE} }`, ['prometheus', '--port', '70000'], /from 1 to 65535/],
];

for (const [what, monitoring, args, why] of REFUSED) {
  test(`no way is opened to ${what}, and it is said why`, async (t) => {
    const ended = await open(t, monitoring, ...args);
    t.is(ended.status, 1);
    t.regex(ended.stderr, why);
    t.is(ended.stdout, '');
  });
}
