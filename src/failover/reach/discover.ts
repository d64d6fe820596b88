import type { SourceAddress } from '../../database/server.ts';
import type { InstanceState, Silence } from '../../database/state.ts';
import { hostPort, parseHostPort } from '../../lib/host-port.ts';
import { silenceOf } from '../cluster/silence.ts';

/** An instance that was found by asking the others. */
export interface Discovered {
  readonly address: SourceAddress;
  readonly answer:
    | { readonly kind: 'answering'; readonly state: InstanceState }
    | { readonly kind: 'silent'; readonly silence: Silence };
}

export interface Discovery {
  readonly instances: readonly Discovered[];
  /** What could not be followed, as sentences. */
  readonly gaps: readonly string[];
}

/** More instances than one cluster has: then something else goes round in circles. */
const MOST = 50;

/**
 * Finds all instances of a cluster from some of them: the source of each replica, and the replicas that report where
 * they are. One that answers by two addresses is one instance.
 */
export async function discover(
  first: readonly SourceAddress[],
  ask: (address: SourceAddress) => Promise<InstanceState>,
): Promise<Discovery> {
  const found = new Map<string, Discovered>();
  const gaps: string[] = [];
  const known = new Set<string>();
  let next = [...first];
  while (next.length > 0) {
    const asked = next.filter((address) => !found.has(nameOf(address))).slice(0, MOST - found.size);
    if (asked.length === 0) break;
    const answers = await Promise.all(asked.map((address) => answerOf(address, ask)));
    next = [];
    for (const one of answers) {
      found.set(nameOf(one.address), one);
      if (one.answer.kind === 'silent') continue;
      const { state } = one.answer;
      // The first address by which it answered stays its address.
      const identity = `${state.uuid} ${state.hostname} ${one.address.port}`;
      if (known.has(identity)) {
        found.delete(nameOf(one.address));
        continue;
      }
      known.add(identity);
      const { addresses, unknown } = neighbours(state, one.address.port);
      next.push(...addresses);
      gaps.push(...unknown.map((who) => `${nameOf(one.address)}: ${who}`));
    }
    if (found.size >= MOST) gaps.push(`more than ${MOST} instances: the rest is left out`);
  }
  return { instances: [...found.values()], gaps };
}

function nameOf({ host, port }: SourceAddress): string {
  return hostPort(host.toLowerCase(), port);
}

async function answerOf(
  address: SourceAddress,
  ask: (address: SourceAddress) => Promise<InstanceState>,
): Promise<Discovered> {
  try {
    return { address, answer: { kind: 'answering', state: await ask(address) } };
  } catch (error) {
    return { address, answer: { kind: 'silent', silence: silenceOf(error) } };
  }
}

function neighbours(
  { replication, replicas }: InstanceState,
  port: number,
): { readonly addresses: readonly SourceAddress[]; readonly unknown: readonly string[] } {
  const addresses: SourceAddress[] = [];
  const unknown: string[] = [];
  if (replication) addresses.push({ host: replication.sourceHost, port: replication.sourcePort });
  for (const { uuid, address } of replicas) {
    const read = address.startsWith(':') ? undefined : parseHostPort(address, port);
    if (read) addresses.push(read);
    else unknown.push(`a replica (${uuid}) does not report where it is (report_host): name its address, too`);
  }
  return { addresses, unknown };
}
