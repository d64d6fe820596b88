import type { Problem } from '../problems/problems.ts';
import type { Recovery } from '../cluster/problem.ts';
import { primaryOf } from '../cluster/primary.ts';
import type { FailoverSettings } from '../cluster/cluster.ts';
import { type History, type InstanceRecord, type Sighting, silentFor } from './history.ts';
import { doubtOfStall } from './stall.ts';

/*
 * Invariants:
 * - A primary counts as dead only when it is silent to us and every replica that answers, asked after that silence began,
 *   says that it does not hear the primary either (the rows of `problems`; they also say when no replica answers).
 * - A server that answers anything is alive: error codes of an overloaded server are no silence. The watch gives it up
 *   when it refuses every connection and no replica receives anything from it for as long as commits may stand still.
 * - A primary whose host refuses connections is dead at once. A primary that does not answer may be slow: the watch waits
 *   `deadAfterMs`.
 * - The watch acts on a problem that has lasted, without a break, for longer than such problems take to end by
 *   themselves.
 */

/** What the watch does now. */
export type Verdict =
  | { readonly kind: 'nothing' }
  /** Something may be wrong: the watch queries every instance again at once. */
  | { readonly kind: 'suspect'; readonly problem: Problem; readonly why: string }
  | { readonly kind: 'recover'; readonly problem: Problem; readonly stoodMs: number };

/** One refused connection may come from a listener that is being replaced: the watch asks again before it counts. */
export const REFUSED_MS = 100;
/** An instance that the watch never saw alive may be booting, and its whole site with it. */
export const NEVER_SEEN_MS = 30_000;
/** A primary has clients that write when something was written within this time before its connections were used up. */
const TRAFFIC_MS = 300_000;
/** How long each of two writable instances may take to confirm that it is writable. */
const SAY_AGAIN_MS = 2000;
/** Every server starts read-only, so a server that has just started is read-only for that reason. */
const JUST_STARTED_SECONDS = 60;
const READ_ONLY_AFTER_START_MS = 300;
const READ_ONLY_BY_SOMEBODY_MS = 5000;

/** How long a problem may take to disappear by itself, by the recovery that would follow. */
const PATIENCE_MS: Readonly<{ [Kind in Exclude<Recovery, 'failover' | 'reopen-primary'>]: number }> = {
  // For an instance that does not answer: the balancers' view may be out of date.
  fence: 500,
  // The balancers' own checks need up to a second.
  'repoint-balancer': 2000,
  // Receivers connect again by themselves, once a second.
  'repair-replica': 3000,
  'repair-semi-sync': 3000,
  rejoin: 2000,
};

/**
 * Picks the most urgent problem that has lasted long enough. `isLeft` excludes problems that must not be retried yet.
 */
export function judge(
  history: History,
  settings: FailoverSettings,
  isLeft: (problem: Problem) => boolean = () => false,
): Verdict {
  let suspicion: Verdict = { kind: 'nothing' };
  for (const sighting of history.sightings) {
    const { problem } = sighting;
    if (problem.recovery === undefined || isLeft(problem)) continue;
    const doubt = doubtOf(history, sighting, settings);
    if (doubt === undefined) return { kind: 'recover', problem, stoodMs: history.now - sighting.since };
    if (suspicion.kind === 'nothing') suspicion = { kind: 'suspect', problem, why: doubt };
  }
  return suspicion.kind === 'nothing' ? silentPrimary(history) : suspicion;
}

/** Why it is too early to act. */
function doubtOf(
  history: History,
  { problem, since }: Sighting,
  settings: FailoverSettings,
): string | undefined {
  const { recovery } = problem;
  const stood = history.now - since;
  const wait = (ms: number): string | undefined =>
    stood >= ms ? undefined : `it stands for ${Math.round(stood)} of ${ms} ms`;
  switch (recovery) {
    case undefined:
      return 'it is left to a person';
    case 'failover': {
      const record = history.records.get(problem.instance ?? '');
      if (record === undefined) return 'it names no instance';
      if (record.silence === undefined)
        return wait(settings.stalledAfterMs) ?? doubtOfStall(history, record, settings);
      if (record.silence.kind !== 'too-many-connections') return doubtOfDeath(history, record, settings);
      const patienceMs = settings.longTransactionSeconds * 1000 + settings.stalledAfterMs;
      return wait(patienceMs) ?? doubtOfLockUp(history, record, { since, patienceMs });
    }
    case 'reopen-primary':
      return wait(readOnlyPatience(history, problem)) ?? doubtOfReopening(history, problem);
    case 'fence': {
      const record = history.records.get(problem.instance ?? '');
      return record?.silence === undefined
        ? doubtOfWriters(history, problem, since)
        : wait(PATIENCE_MS.fence);
    }
    case 'repoint-balancer':
    case 'repair-replica':
    case 'repair-semi-sync':
    case 'rejoin':
      return wait(PATIENCE_MS[recovery]);
  }
}

/**
 * Two states that were read at different moments of a switchover may both be writable. When every instance confirms
 * it in a later query, both were writable at one moment. The right primary may be too busy to confirm it; the watch
 * does not wait for that before it closes the wrong one.
 */
function doubtOfWriters({ records, now }: History, problem: Problem, since: number): string | undefined {
  const old = [...records.values()]
    .filter(
      ({ silence, state, stateAt }) => silence === undefined && state?.readOnly === false && stateAt <= since,
    )
    .map(({ spec }) => spec.name);
  const isOver = now - since >= SAY_AGAIN_MS && !old.includes(problem.instance ?? '');
  return old.length === 0 || isOver ? undefined : `${old.join(' and ')} are asked again`;
}

/** Why a primary that refuses every connection may be healthy: its clients work, or have nothing to write. */
function doubtOfLockUp(
  { records, progress, now }: History,
  record: InstanceRecord,
  { since, patienceMs }: { since: number; patienceMs: number },
): string | undefined {
  const { name } = record.spec;
  const replicas = [...records.values()].filter(
    ({ silence, state }) => silence === undefined && state?.replication !== undefined,
  );
  if (replicas.length === 0) return `nobody answers who would have got something of ${name}`;
  const last = (progress?.of === name ? progress.moved?.at : undefined) ?? -Infinity;
  if (last < since - TRAFFIC_MS) return `nothing of ${name} came before either: it may have nothing to write`;
  return now - last >= patienceMs ? undefined : `the last of ${name} came ${Math.round(now - last)} ms ago`;
}

/** Why a silent primary may be alive. */
function doubtOfDeath(
  history: History,
  record: InstanceRecord,
  settings: FailoverSettings,
): string | undefined {
  const { name } = record.spec;
  const { silence } = record;
  if (silence === undefined) return `${name} answers`;
  if (silence.alive) return `${name} answers: ${silence.message}`;
  const silent = silentFor(record, history.now);
  const began = record.answeredAt ?? record.since;
  const stale = [...history.records.values()].filter(
    (other) => other !== record && other.silence === undefined && other.stateAt <= began,
  );
  if (stale.length > 0) {
    return `${stale.map((other) => other.spec.name).join(' and ')} have not been asked since ${name} fell silent`;
  }
  if (record.answeredAt === undefined && silent < NEVER_SEEN_MS) {
    return `${name} was never seen alive, and may be starting`;
  }
  const { refusedSince } = record;
  if (refusedSince !== undefined && history.now - refusedSince >= REFUSED_MS) return undefined;
  if (silent >= settings.deadAfterMs) return undefined;
  return refusedSince === undefined
    ? `${name} is silent for ${Math.round(silent)} of ${settings.deadAfterMs} ms`
    : `${name} is asked again`;
}

function readOnlyPatience({ topology }: History, problem: Problem): number {
  const instance = topology.instances.find(({ spec }) => spec.name === problem.instance);
  const hasJustStarted =
    instance?.kind === 'answering' && instance.state.uptimeSeconds < JUST_STARTED_SECONDS;
  // An unfinished change blocks writes until it is finished or undone, and its owner no longer holds the lock.
  return hasJustStarted || topology.memory.unfinished ? READ_ONLY_AFTER_START_MS : READ_ONLY_BY_SOMEBODY_MS;
}

/**
 * The watch reopens a primary that is read-only because its server was restarted. A primary that took writes and became
 * read-only without a restart was made so by somebody, perhaps in order to move the primary by hand: reopening it could
 * make two writable primaries.
 */
function doubtOfReopening({ topology, records }: History, { instance }: Problem): string | undefined {
  const isCutOff = topology.memory.unfinished !== undefined;
  return !isCutOff && records.get(instance ?? '')?.tookWrites === true
    ? `somebody made ${instance} read-only, and it is left to a person`
    : undefined;
}

/** A primary that is silent and not known to be dead: the watch queries every instance again at once. */
function silentPrimary(history: History): Verdict {
  const view = primaryOf(history.topology);
  if (!('primary' in view) || view.primary.kind !== 'silent') return { kind: 'nothing' };
  const found = history.sightings.find(
    ({ problem }) => problem.severity === 'critical' && problem.instance === view.primary.spec.name,
  );
  return found === undefined
    ? { kind: 'nothing' }
    : { kind: 'suspect', problem: found.problem, why: view.primary.silence.message };
}
