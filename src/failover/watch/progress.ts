import { contains, type Gtids, noGtids, union } from '../../database/gtid.ts';
import type { InstanceState, Silence } from '../../database/state.ts';
import { primaryOf } from '../cluster/primary.ts';
import type { InstanceSpec, Topology } from '../cluster/topology.ts';

/*
 * Whether a primary gets anywhere. Only what it wrote itself counts, and only what nobody had before: neither what it
 * replicates by another channel, nor what a replica that came back still fetches, nor what a receiver transfers once more.
 */

/** What was seen of the transactions of one primary, wherever they are. */
export interface Progress {
  /** The primary's name, and its server_uuid (MariaDB: server_id). */
  readonly of: string;
  readonly origin: string;
  /** Its own transactions that some instance has executed or received. */
  readonly known: Gtids;
  /** How far each instance has written or read in the middle of a transaction, too: the furthest that was seen. */
  readonly marks: ReadonlyMap<string, Mark>;
  /** What each instance said last. */
  readonly states: ReadonlyMap<string, InstanceState>;
  /** When any of it moved last, and where; undefined: never since the watch began. */
  readonly moved: { readonly at: number; readonly on: string } | undefined;
}

/** What the watch has of an instance. */
interface Look {
  readonly spec: InstanceSpec;
  readonly silence: Silence | undefined;
  readonly state: InstanceState | undefined;
  readonly stateAt: number;
}

/** A place in a sequence of logs. */
interface Mark {
  readonly log: number;
  readonly position: number;
}

/** The progress after one more look. It begins anew with another primary. */
export function nextProgress(
  before: Progress | undefined,
  topology: Topology,
  records: ReadonlyMap<string, Look>,
): Progress | undefined {
  const view = primaryOf(topology);
  if (!('primary' in view)) return undefined;
  const { name } = view.primary.spec;
  const primary = records.get(name)?.state;
  const origin = (primary?.uuid ?? topology.memory.identities?.[name])?.toLowerCase();
  if (origin === undefined) return undefined;
  const old = before?.of === name && before.origin === origin ? before : undefined;
  const marks = new Map(old?.marks);
  const states = new Map(old?.states);
  let known = old?.known;
  let moved = old?.moved;
  for (const { spec, silence, state, stateAt } of records.values()) {
    if (silence !== undefined || state === undefined || states.get(spec.name) === state) continue;
    states.set(spec.name, state);
    const own = ownOf(state, origin);
    known ??= noGtids(own.flavour);
    const hasNew = !contains(known, own);
    if (hasNew) known = union(known, own);
    const isAhead = isFurther(marks, spec.name === name ? writtenBy(state) : readBy(state, spec.name));
    // A replica that lacks what the primary has executed reads that first.
    const countsAhead =
      spec.name === name || (primary !== undefined && contains(own, executedBy(primary, origin)));
    if (old !== undefined && (hasNew || (isAhead && countsAhead))) moved = { at: stateAt, on: spec.name };
  }
  return known && { of: name, origin, known, marks, states, moved };
}

/** Whether a state that was read later shows that the primary has moved nothing of its own since. */
export function standsStill(primary: InstanceState, later: InstanceState): boolean {
  const origin = primary.uuid.toLowerCase();
  const marks = new Map<string, Mark>();
  isFurther(marks, writtenBy(primary));
  return (
    primary.startedAt === later.startedAt &&
    contains(executedBy(primary, origin), executedBy(later, origin)) &&
    !isFurther(marks, writtenBy(later))
  );
}

/** Whether the bytes that a primary writes to its binary log are those of its own clients alone. */
export function countsOwnBytes({ binlogBytes, otherChannels, replication }: InstanceState): boolean {
  return binlogBytes !== undefined && otherChannels.length === 0 && replication === undefined;
}

function ownOf(state: InstanceState, origin: string): Gtids {
  const { executed, replication } = state;
  const holds = replication === undefined ? executed : union(executed, replication.received);
  return holds.from((one) => one.toLowerCase() === origin);
}

function executedBy({ executed }: InstanceState, origin: string): Gtids {
  return executed.from((one) => one.toLowerCase() === origin);
}

interface Place {
  /** Places of one sequence can be compared. */
  readonly sequence: string;
  readonly mark: Mark;
}

function writtenBy(state: InstanceState): Place | undefined {
  if (!countsOwnBytes(state)) return undefined;
  return {
    sequence: `written since ${state.startedAt}`,
    mark: { log: 0, position: state.binlogBytes ?? 0 },
  };
}

function readBy({ replication }: InstanceState, name: string): Place | undefined {
  const found = /^(.*?)\.(\d+) (\d+)$/.exec(replication?.position ?? '');
  if (replication === undefined || found === null) return undefined;
  const [, base, log, position] = found;
  return {
    sequence: `${name} reads ${replication.sourceHost}:${replication.sourcePort} ${base}`,
    mark: { log: Number(log), position: Number(position) },
  };
}

/** Notes the place when it is the furthest of its sequence; the first one is compared with nothing. */
function isFurther(marks: Map<string, Mark>, place: Place | undefined): boolean {
  if (place === undefined) return false;
  const { sequence, mark } = place;
  const best = marks.get(sequence);
  const isAhead =
    best === undefined || mark.log > best.log || (mark.log === best.log && mark.position > best.position);
  if (isAhead) marks.set(sequence, mark);
  return isAhead && best !== undefined;
}
