import { contains, union, type Gtids } from '../../database/gtid.ts';
import type { InstanceState } from '../../database/state.ts';
import { traitsOf } from '../../database/traits.ts';
import type { Survey } from './survey.ts';
import type { Memory } from './memory.ts';
import type { Answering, Topology } from './topology.ts';

/** Clocks of the machines that look at the cluster differ a little, and servers count their uptime in seconds. */
const SAME_START_MS = 5000;

/**
 * The memory of when each replica was started, with those that hold all that the primary is known to have had: since
 * that start they have lost nothing. Another look at the same server changes nothing, so that the memory is written
 * once for each start.
 */
export function withStarts(before: Memory['started'], topology: Topology, had: Gtids): Memory['started'] {
  const started = { ...before };
  for (const instance of topology.instances) {
    if (instance.kind === 'silent' || instance.state.replication === undefined) continue;
    const { executed, replication } = instance.state;
    if (!contains(union(executed, replication.backlog), had)) continue;
    const { name } = instance.spec;
    const at = startOf(topology, instance.state);
    const known = started[name];
    if (known === undefined || Math.abs(at - known) > SAME_START_MS) started[name] = at;
  }
  return started;
}

/**
 * MariaDB deletes its relay log when it starts: what this replica had acknowledged and not applied is gone, unless it
 * was seen to hold all that the primary had since then. A replica that was never seen so has acknowledged nothing that
 * the primary waited for.
 */
export function mayHaveLostRelayLog(survey: Survey, instance: Answering): boolean {
  const { topology, primary } = survey;
  const { state, spec } = instance;
  const known = topology.memory.started?.[spec.name];
  if (traitsOf(state.version.flavour).keepsRelayLogs || known === undefined) return false;
  if (startOf(topology, instance.state) - known <= SAME_START_MS) return false;
  // A primary that came back read-only may itself have lost its last writes.
  const isRefetched =
    primary?.kind === 'answering' &&
    !primary.state.readOnly &&
    contains(survey.holds(instance), primary.state.executed);
  return !isRefetched;
}

/** When a server was started, in milliseconds since 1970, by the clock of whoever looked. */
export function startOf({ at }: Topology, { uptimeSeconds }: InstanceState): number {
  return at - uptimeSeconds * 1000;
}
