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
 * - Nothing is done without the lease, and everything is read anew with it in hand: what led here may be over, or
 *   somebody else has ended it. What was seen under an older epoch decides nothing.
 * - A promotion is planned as an automatic one: pauses, downtimes, anti-flapping and witnesses hold.
 */

/** How an attempt to recover ended. */
export type Recovered =
  | { readonly kind: 'executed'; readonly plan: Plan; readonly outcome: Outcome }
  | { readonly kind: 'refused'; readonly refusals: readonly Refusal[]; readonly attempt: Attempt }
  /** Somebody else changes the cluster, or the store does not answer. */
  | { readonly kind: 'waiting'; readonly why: string }
  /** With the lease in hand it was not so any more. */
  | { readonly kind: 'gone' }
  /** A change that was cut off had ended by itself, and is forgotten now. */
  | { readonly kind: 'forgotten' };

export interface RecoverOptions {
  readonly cluster: Cluster;
  readonly ports: Ports;
  readonly who: string;
  /** What the balancers said last: nobody waits for one that is gone. */
  readonly balancers: readonly BalancerView[];
  /** The journal's entry of earlier attempts that were taken back. */
  readonly retry?: Retry | undefined;
  readonly began: (plan: Plan) => void;
  readonly report: (event: StepEvent) => void;
  readonly signal: AbortSignal;
}

/** Who was silent when it was decided has this long to speak up before it is done. */
const LAST_CHANCE_MS = 300;

/** Does what the problem's row says, if it is still so. */
export async function recover(
  problem: Problem,
  history: History,
  options: RecoverOptions,
): Promise<Recovered> {
  const { cluster, ports, who } = options;
  // Most refusals need no lease, and an operator who wants it is not kept waiting by a watch that may not act.
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
  // Who could tell how it ended is silent: neither ending it nor forgetting it would be safe.
  if (isOutcomeUnknown(planned.refusals) || isOver(topology, problem, planned.refusals)) return planned;
  // Neither end of a change that was cut off can be used: an ordinary promotion decides.
  return planPromote(topology, { automatic: true }, settings);
}

function isOutcomeUnknown(refusals: readonly Refusal[]): boolean {
  return refusals.some(({ code }) => code === 'UnknownOutcome');
}

/** The change that was cut off is complete, as the servers say, or another one has come after it. */
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
  // Nobody waits for a balancer that is gone; but its word that a silent instance takes writes must not be an old one.
  const withoutBalancers = recovery !== 'fence';
  const topology = await observe(cluster, ports, { withoutBalancers, patience, signal });
  return withoutBalancers ? { ...topology, balancers } : topology;
}

/** A dead primary stays one when a replica falls silent, too; one that answers that it is full is not dead. */
function isSame(one: Problem, other: Problem): boolean {
  if (keyOf(one) === keyOf(other)) return true;
  if ([one.code, other.code].includes('OverloadedPrimary')) return false;
  return one.recovery === 'failover' && other.recovery === 'failover' && one.instance === other.instance;
}

/** A primary that answers and is given up shows the same stall now as when that was decided. */
function isStillStalled(problem: Problem, history: History, topology: Topology): boolean {
  if (problem.recovery !== 'failover') return true;
  const record = history.records.get(problem.instance ?? '');
  const instance = topology.instances.find(({ spec }) => spec.name === problem.instance);
  if (record?.silence !== undefined || instance?.kind !== 'answering') return true;
  return record !== undefined && isSameStall(record, instance.state);
}

function userMessage(error: unknown): string {
  if (error instanceof UserError) return error.message;
  throw error;
}
