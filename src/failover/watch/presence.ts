import { setTimeout as wait } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

import { UserError } from '../../lib/errors.ts';
import type { Coordination } from '../coordination/coordination.ts';
import { primaryOf } from '../cluster/primary.ts';
import { linksOf } from '../cluster/links.ts';
import type { Memory, SourceSettings } from '../cluster/memory.ts';
import { strangeAckers } from '../cluster/strangers.ts';
import type { Answering, Topology } from '../cluster/topology.ts';
import { withStarts } from '../cluster/restarts.ts';
import { sourceSettings } from '../cluster/source-settings.ts';

/** How often a watch says that it is there. */
export const PRESENCE_EVERY_MS = 10_000;
/** How often what should be remembered is compared with what is. */
const LOOK_EVERY_MS = 200;
/** Whoever has said nothing for so long is gone. */
export const PRESENCE_LIMIT_MS = 35_000;
/** And forgotten after a day. */
const FORGET_MS = 86_400_000;

export interface PresenceOptions {
  readonly coordination: Pick<Coordination, 'remember'>;
  readonly who: string;
  readonly signal: AbortSignal;
  readonly topology: () => Topology | undefined;
  /** The memory says something new: whoever decides on it reads it again. */
  readonly changed: () => Promise<void>;
}

/** Says again and again that it watches, and at the end that it does no more. */
export async function keepWatchers({
  coordination,
  who,
  signal,
  topology,
  changed,
}: PresenceOptions): Promise<void> {
  const remember = async (change: (memory: Memory) => Memory): Promise<void> => {
    try {
      await coordination.remember(change);
    } catch (error) {
      // That the store is lost is told elsewhere.
      if (!(error instanceof UserError)) throw error;
    }
  };
  let before: Topology | undefined;
  for (let saidAt = -Infinity; !signal.aborted;) {
    const seen = topology();
    const earlier = before;
    before = seen;
    const isDue = performance.now() - saidAt >= PRESENCE_EVERY_MS;
    if (isDue || isNews(seen, earlier)) {
      await remember((memory) => withPrimary(withWatcher(memory, who, Date.now()), seen, earlier));
      await changed();
      // Who the primary is should be known before it can die.
      if (seen !== undefined) saidAt = performance.now();
    }
    await wait(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
  }
  await remember((memory) => withoutWatcher(memory, who));
}

/** Who watches at this time, and who did and is silent now. */
export function watchersOf(
  memory: Memory,
  at: number,
): { present: readonly string[]; silent: readonly string[] } {
  const all = Object.entries(memory.watchers ?? {});
  const isPresent = ([, seen]: readonly [string, number]): boolean => at - seen < PRESENCE_LIMIT_MS;
  return {
    present: all.filter(isPresent).map(([who]) => who),
    silent: all.filter((one) => !isPresent(one)).map(([who]) => who),
  };
}

function withWatcher(memory: Memory, who: string, at: number): Memory {
  const kept = Object.entries(memory.watchers ?? {}).filter(([, seen]) => at - seen < FORGET_MS);
  return { ...memory, watchers: { ...Object.fromEntries(kept), [who]: at } };
}

function withoutWatcher(memory: Memory, who: string): Memory {
  const kept = Object.entries(memory.watchers ?? {}).filter(([name]) => name !== who);
  return { ...memory, watchers: Object.fromEntries(kept) };
}

/**
 * A cluster that was never changed by this tool has no primary in its memory; after a power cut nobody would know which
 * one it was, nor what it had before its replicas wrote anything of their own. Without semi-sync, what the primary has is
 * noted again and again: it is all that tells what a failover would lose.
 */
export function withPrimary(memory: Memory, seen: Topology | undefined, before?: Topology): Memory {
  if (seen === undefined || seen.memory.epoch !== memory.epoch || memory.unfinished) return memory;
  const view = primaryOf({ ...seen, memory });
  if (view.kind !== 'writable') return memory;
  const { spec, state } = view.primary;
  if (memory.primary !== undefined && memory.primary !== spec.name) return memory;
  const executed = state.executed.toString();
  const earlier = before?.instances.find((instance) => instance.spec.name === spec.name);
  // Between two answers of a primary at work there are always some writes: replicas have had time for the earlier ones.
  const had =
    earlier?.kind === 'answering' && !earlier.state.readOnly ? earlier.state.executed : state.executed;
  const began = memory.primary === undefined ? executed : (memory.began ?? executed);
  const adopted: Memory = {
    ...memory,
    primary: spec.name,
    began,
    semiSync: settingsOf({ ...seen, memory }, view.primary),
    started: withStarts(memory.started, seen, had),
    disabledEvents: state.disabledEvents,
  };
  const { enabled, active } = state.semiSync.source;
  return enabled && active ? adopted : { ...adopted, lastSeen: executed };
}

/** How the primary acknowledges has changed, or is known for the first time: it must be in the memory before it dies. */
function isNews(seen: Topology | undefined, before: Topology | undefined): boolean {
  if (seen === undefined) return false;
  const { primary, semiSync, started } = withPrimary(seen.memory, seen, before);
  return (
    primary !== seen.memory.primary ||
    !isDeepStrictEqual([semiSync, started], [seen.memory.semiSync, seen.memory.started])
  );
}

function settingsOf(topology: Topology, primary: Answering): SourceSettings {
  const strangers = strangeAckers(topology, linksOf(topology), primary);
  return { ...sourceSettings(primary), ...(strangers.length > 0 ? { strangers } : {}) };
}
