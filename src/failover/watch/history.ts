import { union } from '../../database/gtid.ts';
import type { InstanceState, Silence } from '../../database/state.ts';
import { committingThreads } from '../cluster/stalled.ts';
import type { Problem } from '../problems/problems.ts';
import type { InstanceSpec, Topology } from '../cluster/topology.ts';

/** What the watch knows of one instance, from its own questions. Times are the watch's own clock, in milliseconds. */
export interface InstanceRecord {
  readonly spec: InstanceSpec;
  /** Since when it is watched. */
  readonly since: number;
  /** The last whole answer, and when it was asked for. */
  readonly state: InstanceState | undefined;
  readonly stateAt: number;
  /**
   * When it had more than the time before: transactions, or a part of one in its binary log or received. Undefined: never
   * since it is watched.
   */
  readonly advancedAt: number | undefined;
  /** It took writes in the present run of its server: when it takes none now, somebody has made it read-only. */
  readonly tookWrites: boolean;
  /** Since when each session is seen in its commit at every look, by its thread id. */
  readonly committing: ReadonlyMap<number, number>;
  /** When it answered anything the last time; undefined: never since it is watched. */
  readonly answeredAt: number | undefined;
  /** Why it does not answer now; undefined while it does. */
  readonly silence: Silence | undefined;
  /** Since when its host refuses connections, without a break. */
  readonly refusedSince: number | undefined;
}

/** How far two readings of an uptime may be apart beyond the time that passed. */
const UPTIME_SECONDS = 3;

/** A problem that stands, and since when. */
export interface Sighting {
  readonly problem: Problem;
  readonly since: number;
}

/** Everything that a decision rests on. It belongs to one epoch: what was seen before a change says nothing after it. */
export interface History {
  readonly epoch: number;
  readonly now: number;
  readonly topology: Topology;
  readonly records: ReadonlyMap<string, InstanceRecord>;
  /** The most urgent first. */
  readonly sightings: readonly Sighting[];
}

/** Nobody has said anything yet. */
export function newRecord(spec: InstanceSpec, now: number): InstanceRecord {
  return {
    spec,
    since: now,
    state: undefined,
    stateAt: 0,
    advancedAt: undefined,
    tookWrites: false,
    committing: new Map(),
    answeredAt: undefined,
    silence: undefined,
    refusedSince: undefined,
  };
}

/** It answered: with its whole state, or only that it is there. */
export function withAnswer(record: InstanceRecord, askedAt: number, state?: InstanceState): InstanceRecord {
  const hasMore =
    state !== undefined && record.state !== undefined && positionOf(record.state) !== positionOf(state);
  return {
    ...record,
    ...(state === undefined
      ? {}
      : {
          state,
          stateAt: askedAt,
          tookWrites: !state.readOnly || (record.tookWrites && isSameRun(record, state, askedAt)),
          committing: stillCommitting(record, state, askedAt),
        }),
    ...(hasMore ? { advancedAt: askedAt } : {}),
    answeredAt: askedAt,
    silence: undefined,
    refusedSince: undefined,
  };
}

/** What it has, applied or not: text to compare. To apply what it has already is no news of its source. */
export function positionOf({ executed, replication, readOnly, binlogBytes }: InstanceState): string {
  const received = replication === undefined ? executed : union(executed, replication.received);
  // A replica's own binary log grows with what it had received before.
  const written = readOnly ? '' : String(binlogBytes);
  return `${received.toString()} ${replication?.position ?? ''} ${written}`;
}

/** Whether the server was not restarted since the last look; its uptime is told in whole seconds. */
function isSameRun({ state, stateAt }: InstanceRecord, now: InstanceState, askedAt: number): boolean {
  if (state === undefined) return false;
  const passed = (askedAt - stateAt) / 1000;
  return now.uptimeSeconds >= state.uptimeSeconds + passed - UPTIME_SECONDS;
}

function stillCommitting(
  { committing }: InstanceRecord,
  state: InstanceState,
  askedAt: number,
): InstanceRecord['committing'] {
  return new Map(committingThreads(state).map(({ id }) => [id, committing.get(id) ?? askedAt]));
}

/** It did not answer. */
export function withSilence(record: InstanceRecord, askedAt: number, silence: Silence): InstanceRecord {
  return {
    ...record,
    silence,
    refusedSince: silence.kind === 'refused' ? (record.refusedSince ?? askedAt) : undefined,
  };
}

/** Since when nothing was heard: never later than the question that was not answered. */
export function silentFor(record: InstanceRecord, now: number): number {
  return record.silence === undefined ? 0 : now - (record.answeredAt ?? record.since);
}

/**
 * The history with one more moment. A problem that was gone for a moment begins anew, and so does every problem with a
 * new epoch.
 */
export function nextHistory(
  before: History | undefined,
  moment: Omit<History, 'sightings' | 'epoch'>,
  found: readonly Problem[],
): History {
  const { epoch } = moment.topology.memory;
  const known = new Map(
    before?.epoch === epoch ? before.sightings.map((sighting) => [keyOf(sighting.problem), sighting]) : [],
  );
  const sightings = found.map((problem) => ({
    problem,
    since: known.get(keyOf(problem))?.since ?? moment.now,
  }));
  return { ...moment, epoch, sightings };
}

/** What makes two findings the same problem: its message may count something that grows. */
export function keyOf(problem: Problem): string {
  return `${problem.code} ${problem.instance ?? ''}`;
}

/** What is the same matter for whoever recovers: a dead primary is one, whichever replicas are silent beside it. */
export function matterOf(problem: Problem): string {
  return problem.recovery === 'failover' ? `failover ${problem.instance ?? ''}` : keyOf(problem);
}
