import { UserError } from '../../lib/errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { execute } from '../execute/execute.ts';
import { observe } from '../reach/observe.ts';
import { fencePlan } from '../plan/close.ts';
import type { Ports } from '../reach/ports.ts';
import type { Problem } from '../problems/problems.ts';
import { problems } from '../problems/problems.ts';
import { keyOf } from './history.ts';
import type { WatchLog } from './log.ts';

interface FenceOptions {
  readonly cluster: Cluster;
  readonly ports: Ports;
  readonly who: string;
  readonly log: WatchLog;
  readonly signal: AbortSignal;
}

/** Fences the machine of an instance that takes writes and could not be made read-only, if the problem still holds. */
export async function fenceMachine(problem: Problem, options: FenceOptions): Promise<void> {
  const { cluster, ports, who, signal, log } = options;
  const { instance } = problem;
  try {
    const lease = await ports.coordination.acquire({ who, purpose: `fence ${instance}` });
    try {
      const topology = await observe(cluster, ports, { signal });
      const isStill = problems(topology, cluster.settings).some((one) => keyOf(one) === keyOf(problem));
      const found = topology.instances.find(({ spec }) => spec.name === instance);
      if (!isStill || found === undefined) return;
      const outcome = await execute(fencePlan(cluster.settings, found), {
        cluster,
        ports,
        lease,
        topology,
        who,
        reason: `${problem.code}: ${problem.message}`,
        automatic: true,
        signal,
      });
      const isDone = outcome.outcome === 'done';
      log({
        event: isDone ? 'recovered' : 'failed',
        level: isDone ? 'warning' : 'critical',
        instance,
        id: outcome.id,
        ms: outcome.ms,
        message: isDone
          ? `mysqld of ${instance} was stopped, since it did not become read-only`
          : `mysqld of ${instance} could not be stopped: ${outcome.message ?? 'no reason given'}`,
      });
    } finally {
      await lease.release().catch(() => {});
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    log({ event: 'failed', level: 'critical', instance, message: error.message });
  }
}
