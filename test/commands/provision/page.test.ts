import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import test, { type ExecutionContext } from 'ava';

import { siteVariables } from '../../../src/commands/failover/variables.ts';
import { loadInventory } from '../../../src/inventory/load.ts';
import { poll } from '../../../src/lib/async.ts';
import { run } from '../../../src/lib/process.ts';
import { SecretRegistry } from '../../../src/lib/secret.ts';
import { servePage } from '../../../src/page/server.ts';
import { byHand, pageState } from '../../page/support.ts';
import { cut, startSshd, type TestSshd } from '../../transport/sshd.ts';

const PROGRAM = fileURLToPath(new URL('../../../src/bin/provision.ts', import.meta.url));

/** A balancer that serves the page on its loopback, and says its name there. */
async function balancer(t: ExecutionContext, name: string): Promise<{ sshd: TestSshd; port: number }> {
  const sshd = await startSshd();
  t.teardown(sshd.stop);
  const server = await servePage({
    observation: byHand(pageState({ from: name })),
    assets: { script: '', style: '' },
    port: 0,
  });
  t.teardown(server.close);
  return { sshd, port: server.port };
}

function inventory(
  t: ExecutionContext,
  balancers: Readonly<Record<string, { sshd: TestSshd; port: number }>>,
  more = '',
) {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-provision-page-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const hosts = Object.entries(balancers).map(([name, { sshd, port }]) => {
    const { user = '' } = sshd.address();
    return `        ${name}:
          ansible_host: 127.0.0.1
          ansible_port: ${sshd.port}
          ansible_user: ${user}
          ansible_ssh_private_key_file: ${sshd.userKey}
          ansible_ssh_common_args: -o UserKnownHostsFile=${sshd.knownHosts}
          front_address: 10.1.0.11
          back_address: 10.2.0.11
          failover_page_port: ${port}`;
  });
  writeFileSync(
    join(directory, 'hosts.yml'),
    `all:
  vars: { vip: 10.1.0.100, front_network: 10.1.0.0/24, operator_address: 10.1.0.1${more} }
  children:
    balancers:
      hosts:
${hosts.join('\n')}
    servers: { hosts: { web1: { ansible_host: 10.2.0.21, back_address: 10.2.0.21 } } }
`,
  );
  return directory;
}

async function seenFrom(url: string): Promise<string | undefined> {
  try {
    const state = (await (await fetch(`${url}state`)).json()) as { from: string };
    return state.from;
  } catch {
    return undefined;
  }
}

test('it leads to the page of a balancer, and to the other one when that dies', async (t) => {
  const [lb1, lb2] = await Promise.all([balancer(t, 'lb1'), balancer(t, 'lb2')]);
  const child = spawn(process.execPath, [PROGRAM, 'page', '--json', '-i', inventory(t, { lb1, lb2 })], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const shown = JSON.parse(line) as { url: string; port: number };
  t.like(shown, { type: 'open', service: 'page', host: 'lb1', url: `http://127.0.0.1:${shown.port}/` });
  t.is(await seenFrom(shown.url), 'lb1');
  await cut(lb1.sshd);
  t.is(
    await poll(async () => ((await seenFrom(shown.url)) === 'lb2' ? 'lb2' : undefined), {
      everyMs: 100,
      withinMs: 30_000,
    }),
    'lb2',
  );
  t.regex(errors, /through lb2 now/);
  const ended = once(child, 'exit');
  child.kill('SIGINT');
  t.is((await ended)[0], 130);
  t.is(await seenFrom(shown.url), undefined);
});

test('a site without the page is told from one that is away', async (t) => {
  const lb1 = await balancer(t, 'lb1');
  const directory = inventory(t, { lb1 }, ', failover_page: false');
  const none = await run([process.execPath, PROGRAM, 'page', '-i', directory], { timeoutMs: 60_000 });
  t.is(none.status, 1);
  t.regex(none.stderr, /has no balancer that serves the page/);
  await lb1.sshd.stop();
  const away = await run([process.execPath, PROGRAM, 'page', '-i', inventory(t, { lb1 })], {
    timeoutMs: 60_000,
  });
  t.is(away.status, 4);
  t.regex(away.stderr, /lb1: /);
});

for (const [what, variables, hosts] of [
  ['on both that watch', '', ['lb1', 'lb2']],
  ['on the one that watches, where the journal is', ', failover_store: none', ['lb1']],
  ['nowhere without a watch', ', failover_watch: false', []],
  ['nowhere when it is switched off', ', failover_page: false', []],
] as const) {
  test(`the page is ${what}`, async (t) => {
    const [lb1, lb2] = await Promise.all([balancer(t, 'lb1'), balancer(t, 'lb2')]);
    const { of } = siteVariables({
      inventory: loadInventory(inventory(t, { lb1, lb2 }, variables)),
      playbookDirectory: fileURLToPath(new URL('../../../playbooks', import.meta.url)),
      extraVars: new Map(),
      secrets: new SecretRegistry(),
      roles: ['failover_watch'],
    });
    t.deepEqual(of('lb1').get('failover_page_hosts'), hosts);
  });
}
