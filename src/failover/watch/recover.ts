import { UserError } from '../../lib/errors.ts';
import type { Plan } from '../plan/action.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Lease } from '../coordination/coordination.ts';
import { execute } from '../execute/execute.ts';
import { observe } from '../reach/observe.ts';
import type { Outcome, Retry, StepEvent } from '../execute/outcome.ts';
import { planPromote } from '../plan/promote.ts';
import { planRepair } from '../problems/repair.ts';
import type { Ports } from '../reach/ports.ts';
import { primaryOf } from '../cluster/primary.ts';
import { pauseAt, pauseText } from '../cluster/pause.ts';
import type { Problem } from '../problems/problems.ts';
import { problems } from '../problems/problems.ts';
import { refusal, type Planned, type Refusal } from '../plan/refusals.ts';
import type { BalancerView, Topology } from '../cluster/topology.ts';
import { type History, keyOf } from './history.ts';
import type { Attempt } from './patience.ts';
import { isSameStall } from './stall.ts';

/*
 * Invariants:
 * - Nothing is changed without the lease. With the lease in hand the cluster is observed again: the problem may have
 *   disappeared, or somebody else may have solved it. Observations of an older epoch do not count.
 * - A promotion is planned as an automatic one: pauses, downtimes, anti-flapping and witnesses hold.
 */

/** How a recovery ended. */
export type Recovered =
  | { readonly kind: 'executed'; readonly plan: Plan; readonly outcome: Outcome }
  | { readonly kind: 'refused'; readonly refusals: readonly Refusal[]; readonly attempt: Attempt }
  /** Somebody else holds the lock, or the store does not answer. */
  | { readonly kind: 'waiting'; readonly why: string }
  /** The observation under the lease no longer shows the problem. */
  | { readonly kind: 'gone' }
  /** An unfinished change turned out to be complete, and was removed from the memory. */
  | { readonly kind: 'forgotten' };

export interface RecoverOptions {
  readonly cluster: Cluster;
  readonly ports: Ports;
  readonly who: string;
  /** The balancers' last views, so that a failover does not wait for a balancer that is gone. */
  readonly balancers: readonly BalancerView[];
  /** The journal's entry of earlier attempts that were taken back. */
  readonly retry?: Retry | undefined;
  readonly began: (plan: Plan) => void;
  readonly report: (event: StepEvent) => void;
  readonly signal: AbortSignal;
}

/** How long an instance that was silent at the decision may take to answer under the lease. */
const LAST_CHANCE_MS = 300;

/** Carries out the recovery of the problem's row, if the problem still holds. */
export async function recover(
  problem: Problem,
  history: History,
  options: RecoverOptions,
): Promise<Recovered> {
  const { cluster, ports, who } = options;
  // Most refusals can be found without the lease, which then stays free for an operator.
  const early = planFor(history.topology, problem, cluster);
  if ('refusals' in early && !isOver(history.topology, problem, early.refusals)) {
    return { kind: 'refused', refusals: early.refusals, attempt: 'refused' };
  }
  let lease: Lease;
  try {
    lease = await ports.coordination.acquire({ who, purpose: `${problem.recovery}: ${problem.code}` });
  } catch (error) {
    return { kind: 'waiting', why: userMessage(error) };
  }
  try {
    const topology = await look(problem, history, options);
    if (topology.memory.epoch !== history.epoch) return { kind: 'gone' };
    const found = problems(topology, cluster.settings).find((one) => isSame(one, problem));
    if (found === undefined || !isStillStalled(found, history, topology)) return { kind: 'gone' };
    const planned = planFor(topology, found, cluster);
    if ('refusals' in planned) {
      if (!isOver(topology, found, planned.refusals))
        return { kind: 'refused', refusals: planned.refusals, attempt: 'tried' };
      await forget(topology, ports, lease);
      return { kind: 'forgotten' };
    }
    const { plan } = planned;
    options.began(plan);
    const outcome = await execute(plan, {
      cluster,
      ports,
      lease,
      topology,
      who,
      reason: `${found.code}: ${found.message}`,
      automatic: true,
      retry: options.retry,
      report: options.report,
      signal: options.signal,
    });
    return { kind: 'executed', plan, outcome };
  } catch (error) {
    return { kind: 'waiting', why: userMessage(error) };
  } finally {
    await lease.release().catch(() => {});
  }
}

function planFor(topology: Topology, problem: Problem, cluster: Cluster): Planned {
  const { settings } = cluster;
  const paused = pauseAt(topology.memory, topology.at);
  if (paused) {
    return {
      refusals: [
        refusal('Paused', undefined, pauseText(paused, topology.at), {
          remedy: '`failover resume`',
        }),
      ],
    };
  }
  const planned = planRepair(topology, problem, settings);
  if (!('refusals' in planned) || problem.code !== 'UnfinishedChange') return planned;
  // The instances that could tell how the change ended are silent, so it can neither be finished nor forgotten.
  if (isOutcomeUnknown(planned.refusals) || isOver(topology, problem, planned.refusals)) return planned;
  // Neither instance of the unfinished change can be the primary: an ordinary promotion chooses another one.
  return planPromote(topology, { automatic: true }, settings);
}

function isOutcomeUnknown(refusals: readonly Refusal[]): boolean {
  return refusals.some(({ code }) => code === 'UnknownOutcome');
}

/** Whether the servers show that the unfinished change is complete, or that another one followed it. */
function isOver(topology: Topology, problem: Problem, refusals: readonly Refusal[]): boolean {
  if (problem.code !== 'UnfinishedChange' || topology.memory.unfinished === undefined) return false;
  if (isOutcomeUnknown(refusals)) return false;
  return primaryOf(topology).kind === 'writable';
}

async function forget(topology: Topology, { coordination }: Ports, { epoch }: Lease): Promise<void> {
  const view = primaryOf(topology);
  if (view.kind !== 'writable') return;
  const primary = view.primary.spec.name;
  const began = view.primary.state.executed.toString();
  await coordination.remember((memory) => ({
    ...memory,
    unfinished: undefined,
    primary,
    began,
    lastSeen: memory.primary === primary ? memory.lastSeen : undefined,
    epoch: Math.max(memory.epoch, epoch),
  }));
}

async function look(
  { recovery }: Problem,
  history: History,
  { cluster, ports, balancers, signal }: RecoverOptions,
): Promise<Topology> {
  const patience = new Map(
    [...history.records.values()].flatMap((record) =>
      record.silence === undefined ? [] : [[record.spec.name, LAST_CHANCE_MS] as const],
    ),
  );
  // A failover does not wait for a balancer that is gone; a fence needs the balancers' current view of a silent
  // instance.
  const withoutBalancers = recovery !== 'fence';
  const topology = await observe(cluster, ports, { withoutBalancers, patience, signal });
  return withoutBalancers ? { ...topology, balancers } : topology;
}

/** A dead primary is the same problem when a replica falls silent too; one without free connections is not dead. */
function isSame(one: Problem, other: Problem): boolean {
  if (keyOf(one) === keyOf(other)) return true;
  if ([one.code, other.code].includes('OverloadedPrimary')) return false;
  return one.recovery === 'failover' && other.recovery === 'failover' && one.instance === other.instance;
}

/** Whether a primary that answers still shows the stall for which it is given up. */
function isStillStalled(problem: Problem, history: History, topology: Topology): boolean {
  if (problem.recovery !== 'failover') return true;
  const record = history.records.get(problem.instance ?? '');
  const instance = topology.instances.find(({ spec }) => spec.name === problem.instance);
  if (instance?.kind !== 'answering') return true;
  // One that was silent and answers again has to be watched first: a single look shows no stall.
  return record !== undefined && record.silence === undefined && isSameStall(record, instance.state);
}

function userMessage(error: unknown): string {
  if (error instanceof UserError) return error.message;
  throw error;
}
