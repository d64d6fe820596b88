import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { ExecutionContext } from 'ava';

import { waitFor } from './cli.ts';
import { must, siteIsUp, startAsClient, type TestLab } from './site.ts';
import type { Seen } from './steady-client.ts';

const CLIENT = fileURLToPath(new URL('steady-client.ts', import.meta.url));

/** The balancer that holds an address. On its loopback each has it. */
export async function holderOf(lab: TestLab, address: string): Promise<'lb1' | 'lb2'> {
  return (await lab.sh('lb1', `ip -o address show dev front0 to ${address}`)) === '' ? 'lb2' : 'lb1';
}

/** Lets a client ask all the while, and gives back what it has seen. */
export async function steadily(
  t: ExecutionContext,
  lab: TestLab,
  address: string,
  work: () => Promise<void>,
): Promise<Seen> {
  const stop = join(tmpdir(), `${lab.name}-steady-${process.pid}-${address}`);
  rmSync(stop, { force: true });
  const client = startAsClient(lab, CLIENT, address, stop);
  t.teardown(() => rmSync(stop, { force: true }));
  try {
    await work();
  } finally {
    writeFileSync(stop, '');
    await client.ended;
  }
  return JSON.parse(must(await client.ended, 'client').stdout) as Seen;
}

/** The address goes to the other balancer and back, and no request fails. */
export async function handsOver(t: ExecutionContext, lab: TestLab, address: string): Promise<void> {
  await siteIsUp(lab, address);
  const first = await holderOf(lab, address);
  const second = first === 'lb1' ? 'lb2' : 'lb1';
  const seen = await steadily(t, lab, address, async () => {
    await waitFor('clients are connected', async () => (await connections(lab, first)) >= 20);
    for (const [from, to] of [
      [first, second],
      [second, first],
    ] as const) {
      const handed = must(await lab.provision('handover', from, '--yes', '--json'), 'handover');
      t.like(JSON.parse(handed.stdout), { from, to, moved: [address], left: 0 });
      t.is(await holderOf(lab, address), to);
      must(await lab.provision('handover', from, '--stay'), 'stay');
    }
  });
  const { answered, closed, failed, p50, p99, p999, slowest } = seen;
  t.log(`${answered} requests; p50 ${p50}, p99 ${p99}, p99.9 ${p999}, slowest ${slowest} ms`);
  t.deepEqual(failed, []);
  t.true(answered > 100);
  t.true(closed > 10, 'connections that were kept open have moved');
}

async function connections(lab: TestLab, balancer: string): Promise<number> {
  return Number(await lab.sh(balancer, "/usr/local/sbin/vip-handover status | sed -n 's/^connections //p'"));
}
