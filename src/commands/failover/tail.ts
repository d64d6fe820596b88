import { primaryOf } from '../../failover/cluster/primary.ts';
import type { Topology } from '../../failover/cluster/topology.ts';
import { readTail } from '../../failover/reach/read-tail.ts';
import { transactionLines } from './errant-text.ts';
import type { Session } from './session.ts';

/** How long the look at a log may take that somebody is only shown, and at one that is to be rescued. */
export const SHOW_MS = 3000;
export const RESCUE_MS = 30_000;

/** The topology with what the binary log of a dead primary holds, as far as that can be read now. */
export async function withTail(
  { cluster, ports }: Session,
  topology: Topology,
  { limitMs, signal }: { readonly limitMs: number; readonly signal: AbortSignal },
): Promise<Topology> {
  const view = primaryOf(topology);
  if (view.kind !== 'dead') return topology;
  const { name } = view.primary.spec;
  const machine = ports.machines.get(name);
  if (machine === undefined) return topology;
  const limit = AbortSignal.timeout(limitMs);
  try {
    const both = AbortSignal.any([limit, signal]);
    return { ...topology, tail: await readTail(machine, name, topology, cluster.flavour, both) };
  } catch (error) {
    if (!limit.aborted) throw error;
    const unreadable = `its machine did not answer within ${limitMs / 1000} s`;
    return { ...topology, tail: { instance: name, unreadable } };
  }
}

/** What only the binary log of a dead primary holds, a line each. */
export function tailText({ tail }: Topology): readonly string[] {
  if (tail === undefined) return [];
  if ('unreadable' in tail) return [`the binary log of ${tail.instance} cannot be read: ${tail.unreadable}`];
  const { instance, transactions } = tail;
  if (transactions.length === 0) return [];
  const many = transactions.length === 1 ? 'transaction' : 'transactions';
  return [
    `only the binary log of ${instance} holds ${transactions.length} ${many}:`,
    ...transactionLines(transactions),
  ];
}
