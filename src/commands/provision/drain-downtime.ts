import type { Drained } from '../../site/drained.ts';
import type { Session } from '../failover/session.ts';

/** Long enough for any work: it ends with `undrain`. */
const LONGEST_MS = 30 * 86_400_000;
const PREFIX = 'drained: ';

/** While a server is out, the watch leaves its instance alone, and it is no candidate. */
export async function beginDowntime(
  { ports }: Session,
  instance: string,
  { by, reason }: Drained,
): Promise<void> {
  await ports.coordination.remember((memory) => ({
    ...memory,
    downtimes: [
      // One that an operator has begun besides stays.
      ...memory.downtimes.filter((other) => !isOurs(other, instance)),
      { instance, by, reason: `${PREFIX}${reason}`, until: Date.now() + LONGEST_MS },
    ],
  }));
}

/** The downtime that `drain` has begun; another one stays. */
export async function endDowntime({ ports }: Session, instance: string): Promise<void> {
  await ports.coordination.remember((memory) => ({
    ...memory,
    downtimes: memory.downtimes.filter((other) => !isOurs(other, instance)),
  }));
}

/** An instance that the watch leaves alone since its host was drained, or was about to be. */
export interface DrainDowntime {
  readonly host: string;
  readonly instance: string;
  readonly by: string;
  readonly reason: string;
}

/** All of a cluster that `drain` has begun and nobody has ended. */
export async function drainDowntimes({ cluster, ports }: Session): Promise<readonly DrainDowntime[]> {
  const { downtimes } = await ports.coordination.memory();
  return cluster.instances.flatMap(({ name, host }) =>
    downtimes
      .filter((one) => isOurs(one, name))
      .map(({ by, reason }) => ({ host, instance: name, by, reason: reason.slice(PREFIX.length) })),
  );
}

function isOurs(downtime: { readonly instance: string; readonly reason: string }, instance: string): boolean {
  return downtime.instance === instance && downtime.reason.startsWith(PREFIX);
}
