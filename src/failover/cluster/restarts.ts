import { contains, union, type Gtids } from '../../database/gtid.ts';
import { traitsOf } from '../../database/traits.ts';
import type { Survey } from './survey.ts';
import type { Memory } from './memory.ts';
import type { Answering, Topology } from './topology.ts';

/** The clocks of the machines that looked at the cluster differed a little. */
const SAME_START_MS = 5000;

/**
 * The memory of which run of each replica holds all that the primary is known to have had: since that start it has lost
 * nothing. Another look at the same run changes nothing, so that the memory is written once for each start. `started` is
 * what older releases read and write: by the clock of whoever looked.
 */
export function withStarts(
  { started: before, runs: known }: Memory,
  topology: Topology,
  had: Gtids,
): Pick<Memory, 'started' | 'runs'> {
  const started = { ...before };
  const runs = { ...known };
  for (const instance of topology.instances) {
    if (instance.kind === 'silent' || instance.state.replication === undefined) continue;
    const { executed, replication, startedAt } = instance.state;
    const { name } = instance.spec;
    // One that is seen for the first time may acknowledge before the next look, and what it holds then is lost at a restart.
    const isKnown = (known?.[name] ?? before?.[name]) !== undefined;
    if (isKnown && !contains(union(executed, replication.backlog), had)) continue;
    runs[name] = startedAt;
    if (Math.abs((started[name] ?? 0) - startedAt) > SAME_START_MS) started[name] = startedAt;
  }
  return { started, runs };
}

/**
 * MariaDB deletes its relay log when it starts: what this replica had acknowledged and not applied is gone, unless it
 * was seen to hold all that the primary had since then, or has run since it was seen for the first time.
 */
export function mayHaveLostRelayLog(survey: Survey, instance: Answering): boolean {
  const { topology, primary } = survey;
  if (traitsOf(instance.state.version.flavour).keepsRelayLogs || isSameRun(topology.memory, instance))
    return false;
  // A primary that came back read-only may itself have lost its last writes.
  const isRefetched =
    primary?.kind === 'answering' &&
    !primary.state.readOnly &&
    contains(survey.holds(instance), primary.state.executed);
  return !isRefetched;
}

/** Whether the server has not been started again since it was seen last, or was never seen. */
function isSameRun({ runs, started }: Memory, { spec: { name }, state: { startedAt } }: Answering): boolean {
  const run = runs?.[name];
  if (run !== undefined) return run === startedAt;
  const byOlderRelease = started?.[name];
  return byOlderRelease === undefined || startedAt - byOlderRelease <= SAME_START_MS;
}
