import { setTimeout as wait } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

import { UserError } from '../../lib/errors.ts';
import type { Coordination } from '../coordination/coordination.ts';
import { primaryOf } from '../cluster/primary.ts';
import { linksOf } from '../cluster/links.ts';
import { pauseAt } from '../cluster/pause.ts';
import type { Memory, SourceSettings } from '../cluster/memory.ts';
import { strangeAckers } from '../cluster/strangers.ts';
import type { Answering, Topology } from '../cluster/topology.ts';
import { withStarts } from '../cluster/restarts.ts';
import { sourceSettings } from '../cluster/source-settings.ts';

/** How often a watch records its presence. */
export const PRESENCE_EVERY_MS = 10_000;
/** How often the memory is compared with the topology. */
const LOOK_EVERY_MS = 200;
/** A watch whose last record is older than this is gone. */
export const PRESENCE_LIMIT_MS = 35_000;
/**
 * Which records a watch of this release understands. 1: locks of copies, and pauses that end. It grows with a record that an
 * older watch would misread, so that whoever writes one can do without where such a watch is present.
 */
const UNDERSTANDS = 1;
/** A watch is removed from the memory after a day. */
const FORGET_MS = 86_400_000;

export interface PresenceOptions {
  readonly coordination: Pick<Coordination, 'remember'>;
  readonly who: string;
  readonly signal: AbortSignal;
  readonly topology: () => Topology | undefined;
  /** Called when the memory has changed, so that decisions are based on the new one. */
  readonly changed: () => Promise<void>;
}

/** Records in the memory that this watch runs, until `signal` aborts; then removes the record. */
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
      // `Surroundings` reports that the store is lost.
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
      await remember((memory) =>
        withPrimary(withWatcher(ended(memory, Date.now()), who, Date.now()), seen, earlier),
      );
      await changed();
      // The memory must name the primary before the primary can die.
      if (seen !== undefined) saidAt = performance.now();
    }
    await wait(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
  }
  await remember((memory) => withoutWatcher(memory, who));
}

/** The watches that run at this time, and those that fell silent. */
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

/** The watches that run at this time and do not understand every record that this release writes. */
export function olderWatchers(memory: Memory, at: number): readonly string[] {
  return watchersOf(memory, at).present.filter((who) => (memory.understands?.[who] ?? 0) < UNDERSTANDS);
}

function withWatcher(memory: Memory, who: string, at: number): Memory {
  const kept = Object.entries(memory.watchers ?? {}).filter(([, seen]) => at - seen < FORGET_MS);
  return {
    ...memory,
    watchers: { ...Object.fromEntries(kept), [who]: at },
    understands: { ...knownOf(memory, kept), [who]: UNDERSTANDS },
  };
}

function knownOf(
  { understands = {} }: Memory,
  watchers: readonly (readonly [string, number])[],
): Memory['understands'] {
  const names = new Set(watchers.map(([name]) => name));
  return Object.fromEntries(Object.entries(understands).filter(([name]) => names.has(name)));
}

/** Without a pause that is over: a watch of an older release does not look at its end. */
function ended(memory: Memory, at: number): Memory {
  return memory.paused !== undefined && pauseAt(memory, at) === undefined
    ? { ...memory, paused: undefined }
    : memory;
}

function withoutWatcher(memory: Memory, who: string): Memory {
  const kept = Object.entries(memory.watchers ?? {}).filter(([name]) => name !== who);
  return { ...memory, watchers: Object.fromEntries(kept), understands: knownOf(memory, kept) };
}

/**
 * Records the primary in the memory. Without the record nobody could tell after a power cut which instance was the
 * primary of a cluster that this tool has never changed, nor what it had before its replicas wrote anything of their
 * own. Without semi-sync the primary's GTIDs are recorded continually, because only they tell what a failover would
 * lose.
 */
export function withPrimary(memory: Memory, seen: Topology | undefined, before?: Topology): Memory {
  if (seen === undefined || seen.memory.epoch !== memory.epoch || memory.unfinished) return memory;
  const view = primaryOf({ ...seen, memory });
  if (view.kind !== 'writable') return memory;
  const { spec, state } = view.primary;
  if (memory.primary !== undefined && memory.primary !== spec.name) return memory;
  const executed = state.executed.toString();
  const earlier = before?.instances.find((instance) => instance.spec.name === spec.name);
  // A primary under load always has new writes between two answers; replicas have had time to receive the earlier ones.
  const had =
    earlier?.kind === 'answering' && !earlier.state.readOnly ? earlier.state.executed : state.executed;
  const began = memory.primary === undefined ? executed : (memory.began ?? executed);
  const adopted: Memory = {
    ...memory,
    primary: spec.name,
    began,
    semiSync: settingsOf({ ...seen, memory }, view.primary),
    ...withStarts(memory, seen, had),
    identities: { ...memory.identities, ...identitiesOf(seen) },
    disabledEvents: state.disabledEvents,
    ...stillStopped(memory, seen, before),
    ...(memory.below === undefined ? {} : { below: stillBelow(memory.below, seen, spec.name) }),
  };
  const { enabled, active } = state.semiSync.source;
  return enabled && active ? adopted : { ...adopted, lastSeen: executed };
}

/** Whether the memory lacks who the primary is, or how it acknowledges; it must know both before the primary dies. */
function isNews(seen: Topology | undefined, before: Topology | undefined): boolean {
  if (seen === undefined) return false;
  const { primary, semiSync, runs, identities, below, fenced } = withPrimary(seen.memory, seen, before);
  return (
    primary !== seen.memory.primary ||
    !isDeepStrictEqual(
      [semiSync, runs, identities, below, fenced],
      [seen.memory.semiSync, seen.memory.runs, seen.memory.identities, seen.memory.below, seen.memory.fenced],
    )
  );
}

/**
 * Without the replicas that somebody has put below the primary itself by hand: those acknowledge to it, and a failover
 * must count them.
 */
function stillBelow(
  below: Readonly<Record<string, string>>,
  seen: Topology,
  primary: string,
): Readonly<Record<string, string>> {
  const links = linksOf(seen);
  return Object.fromEntries(
    Object.entries(below).filter(([name]) => {
      const link = links.get(name);
      return link?.state !== 'hears' || link.source?.spec.name !== primary;
    }),
  );
}

/**
 * A fenced instance that has answered at two looks was started by hand, without us: from now on it may acknowledge, and a
 * failover must count it.
 */
function stillStopped(
  { fenced, stopped }: Memory,
  seen: Topology,
  before: Topology | undefined,
): Pick<Memory, 'fenced' | 'stopped'> {
  const answers = ({ instances }: Topology, name: string): boolean =>
    instances.some(({ spec, kind }) => spec.name === name && kind === 'answering');
  const isStopped = (name: string): boolean =>
    before === undefined || !answers(seen, name) || !answers(before, name);
  return {
    ...(fenced === undefined ? {} : { fenced: fenced.filter(isStopped) }),
    ...(stopped === undefined ? {} : { stopped: stopped.filter(isStopped) }),
  };
}

/** A server that does not answer cannot say which one it is: replicas that follow it by an alias can. */
function identitiesOf({ instances }: Topology): Readonly<Record<string, string>> {
  return Object.fromEntries(
    instances.flatMap((instance) =>
      instance.kind === 'answering' ? [[instance.spec.name, instance.state.uuid] as const] : [],
    ),
  );
}

function settingsOf(topology: Topology, primary: Answering): SourceSettings {
  const strangers = strangeAckers(topology, linksOf(topology), primary);
  return { ...sourceSettings(primary), ...(strangers.length > 0 ? { strangers } : {}) };
}
