import type { Memory } from './memory.ts';

/** For how long the watch leaves a removed instance alone that the inventory still names. */
const LEFT_ALONE_MS = 30 * 86_400_000;
const REMOVED = 'removed from the cluster';

/**
 * What is remembered when an instance has left the cluster. Its names may come back with another server, so nothing that
 * was known of it stays. As long as the inventory names it, it is in a downtime: the watch would take it back.
 */
export function withoutMember(
  memory: Memory,
  name: string,
  { by, at }: { readonly by: string; readonly at: number },
): Memory {
  const others = <Value>(record: Readonly<Record<string, Value>> = {}): Readonly<Record<string, Value>> =>
    Object.fromEntries(Object.entries(record).filter(([key]) => key !== name));
  const names = (list: readonly string[] = []): readonly string[] => list.filter((one) => one !== name);
  const downtime = { instance: name, until: at + LEFT_ALONE_MS, reason: REMOVED, by };
  return {
    ...memory,
    rules: others(memory.rules),
    downtimes: [...memory.downtimes.filter(({ instance }) => instance !== name), downtime],
    fenced: names(memory.fenced),
    stopped: names(memory.stopped),
    below: Object.fromEntries(Object.entries(others(memory.below)).filter(([, source]) => source !== name)),
    identities: others(memory.identities),
    started: others(memory.started),
    runs: others(memory.runs),
    copies: others(memory.copies),
  };
}

/** An instance that comes back counts again. */
export function withoutRemoval(memory: Memory, name: string): Memory {
  const downtimes = memory.downtimes.filter((one) => one.instance !== name || one.reason !== REMOVED);
  return { ...memory, downtimes };
}
