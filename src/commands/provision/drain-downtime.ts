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

function isOurs(downtime: { readonly instance: string; readonly reason: string }, instance: string): boolean {
  return downtime.instance === instance && downtime.reason.startsWith(PREFIX);
}
