// A large topology, read and analysed. The answers are simulated behind the interface `Server`: what is measured is our
// own reading side by side, and the analysis; the time of the network and of the servers is the delay given below.
import { setTimeout as wait } from 'node:timers/promises';

import { candidates } from '../src/failover/plan/candidates.ts';
import type { Cluster } from '../src/failover/cluster/cluster.ts';
import { observe } from '../src/failover/reach/observe.ts';
import type { Ports } from '../src/failover/reach/ports.ts';
import { problems } from '../src/failover/problems/problems.ts';
import type { Server } from '../src/database/server.ts';
import { describe, NO_MEMORY, SETTINGS } from '../test/failover/support/topology.ts';
import { median } from './measure.ts';

/** One round trip to a server and its own work, in milliseconds. */
const ANSWER_MS = 5;

export async function benchTopology(
  instances: number,
  runs: number,
  say: (line: string) => void,
): Promise<void> {
  const lines = Array.from({ length: instances }, (_, index) =>
    index === 0
      ? 'db1 primary 1:1-100000'
      : `db${index + 1} <db${index < 10 ? 1 : (index % 9) + 2} 1:1-${99_990 + (index % 10)}`,
  );
  const topology = describe({ instances: lines });
  const servers = new Map(
    topology.instances.map((instance) => [
      instance.spec.name,
      {
        name: instance.spec.name,
        readState: async () => {
          await wait(ANSWER_MS);
          if (instance.kind === 'silent') throw new Error('silent');
          return instance.state;
        },
      } as unknown as Server,
    ]),
  );
  const cluster = {
    name: 'large',
    instances: topology.instances.map(({ spec }) => spec),
    balancers: [],
    settings: SETTINGS,
  } as unknown as Cluster;
  const ports = { servers, balancers: [], machines: new Map() } as unknown as Ports;
  const read: number[] = [];
  const analysed: number[] = [];
  let found = 0;
  for (let run = 0; run < runs; run++) {
    const startedAt = performance.now();
    const seen = await observe(cluster, ports, { memory: NO_MEMORY, withoutBalancers: true });
    const readAt = performance.now();
    found = problems(seen, SETTINGS).length + candidates(seen, SETTINGS).length;
    read.push(readAt - startedAt);
    analysed.push(performance.now() - readAt);
  }
  const both = read.map((ms, index) => ms + (analysed[index] ?? 0));
  say(`\nA topology of ${instances} instances (simulated answers after ${ANSWER_MS} ms)`);
  for (const [name, times] of [
    ['read side by side', read],
    ['analysed', analysed],
    ['both', both],
  ] as const)
    say(
      `  ${name.padEnd(30)} median ${median(times).toFixed(1).padStart(5)} ms, worst ${Math.max(...times)
        .toFixed(1)
        .padStart(5)} ms, ${runs} runs${name === 'both' ? ' (aim: 300)' : ''}`,
    );
  say(`  problems and candidates found: ${found}`);
}
