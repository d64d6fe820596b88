import type { InstanceState, Silence } from '../../database/state.ts';
import { committingThreads } from '../cluster/stalled.ts';
import type { Problem } from '../problems/problems.ts';
import { nextProgress, type Progress } from './progress.ts';
import type { InstanceSpec, Topology } from '../cluster/topology.ts';

/** What the watch has learnt about one instance by querying it. Times: milliseconds of the watch's steady clock. */
export interface InstanceRecord {
  readonly spec: InstanceSpec;
  /** When the watch began to query the instance. */
  readonly since: number;
  /** The last complete state, and when it was requested. */
  readonly state: InstanceState | undefined;
  readonly stateAt: number;
  /** The server took writes since it was started: when it is read-only now, somebody has made it so. */
  readonly tookWrites: boolean;
  /** By thread id: since when every look has found the session in its commit. */
  readonly committing: ReadonlyMap<number, number>;
  /** When the instance last answered anything; undefined: never since the watch began. */
  readonly answeredAt: number | undefined;
  /** Why the instance does not answer now; undefined while it does. */
  readonly silence: Silence | undefined;
  /** Since when the host has refused every connection. */
  readonly refusedSince: number | undefined;
}

/** A problem that stands, and since when. */
export interface Sighting {
  readonly problem: Problem;
  readonly since: number;
}

/**
 * Everything that a decision is based on. It belongs to one epoch: what was observed before a change does not count.
 */
export interface History {
  readonly epoch: number;
  readonly now: number;
  readonly topology: Topology;
  readonly records: ReadonlyMap<string, InstanceRecord>;
  /** How the primary gets on; undefined while nobody says who it is. */
  readonly progress: Progress | undefined;
  /** The most urgent first. */
  readonly sightings: readonly Sighting[];
}

/** The record of an instance that has not been queried yet. */
export function newRecord(spec: InstanceSpec, now: number): InstanceRecord {
  return {
    spec,
    since: now,
    state: undefined,
    stateAt: 0,
    tookWrites: false,
    committing: new Map(),
    answeredAt: undefined,
    silence: undefined,
    refusedSince: undefined,
  };
}

/** The record after an answer: a complete state, or only a ping. */
export function withAnswer(record: InstanceRecord, askedAt: number, state?: InstanceState): InstanceRecord {
  return {
    ...record,
    ...(state === undefined
      ? {}
      : {
          state,
          stateAt: askedAt,
          tookWrites: !state.readOnly || (record.tookWrites && record.state?.startedAt === state.startedAt),
          committing: stillCommitting(record, state, askedAt),
        }),
    answeredAt: askedAt,
    silence: undefined,
    refusedSince: undefined,
  };
}

function stillCommitting(
  { committing }: InstanceRecord,
  state: InstanceState,
  askedAt: number,
): InstanceRecord['committing'] {
  return new Map(committingThreads(state).map(({ id }) => [id, committing.get(id) ?? askedAt]));
}

/** The record after a query without an answer. */
export function withSilence(record: InstanceRecord, askedAt: number, silence: Silence): InstanceRecord {
  return {
    ...record,
    silence,
    refusedSince: silence.kind === 'refused' ? (record.refusedSince ?? askedAt) : undefined,
  };
}

/** For how long the instance has been silent, counted from its last answer. */
export function silentFor(record: InstanceRecord, now: number): number {
  return record.silence === undefined ? 0 : now - (record.answeredAt ?? record.since);
}

/**
 * Adds one look to the history. A problem that was absent at one look counts from its return, and every problem counts
 * from the start of a new epoch.
 */
export function nextHistory(
  before: History | undefined,
  moment: Omit<History, 'sightings' | 'epoch' | 'progress'>,
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
  const progress = nextProgress(
    before?.epoch === epoch ? before.progress : undefined,
    moment.topology,
    moment.records,
  );
  return { ...moment, epoch, progress, sightings };
}

/** Identifies a problem by code and instance; its message may contain a number that changes. */
export function keyOf(problem: Problem): string {
  return `${problem.code} ${problem.instance ?? ''}`;
}

/** Identifies what a recovery is about: the death of a primary is one matter, whichever replicas are silent as well. */
export function matterOf(problem: Problem): string {
  return problem.recovery === 'failover' ? `failover ${problem.instance ?? ''}` : keyOf(problem);
}
