import { candidates } from '../../failover/plan/candidates.ts';
import { planPromote } from '../../failover/plan/promote.ts';
import { execute } from '../../failover/execute/execute.ts';
import { observe } from '../../failover/reach/observe.ts';
import { EXIT, UserError } from '../../lib/errors.ts';
import { listed } from '../../lib/listed.ts';
import type { Move } from '../../site/roll/next.ts';
import type { Lease } from '../../failover/coordination/coordination.ts';
import type { Topology } from '../../failover/cluster/topology.ts';
import { acquire } from '../failover/change-lock.ts';
import { operatorName } from '../failover/options.ts';
import type { Session } from '../failover/session.ts';

/** Makes another instance the primary, one of those that are named when one of them can be; says what became of it. */
export async function switchOver(
  session: Session,
  { from, host, among }: Omit<Move, 'cluster'>,
  reason: string,
  signal: AbortSignal,
): Promise<string> {
  return await underLease(session, `promote another instance than ${from}`, async (lease) => {
    const topology = await observe(session.cluster, session.ports, { signal });
    const ranked = candidates(topology, session.cluster.settings).filter(
      ({ instance }) => instance.spec.host !== host,
    );
    const able = ranked.filter(({ limitation }) => limitation === undefined);
    const to = able.find(({ name }) => among.includes(name)) ?? able[0];
    if (to !== undefined) return await carryOut(session, to.name, { topology, lease, reason, signal });
    throw new UserError(
      ranked.length === 0
        ? { message: `nobody can become the primary in the place of ${from}` }
        : ranked.map(({ name, limitation = '' }) => ({
            message: `${name} cannot become the primary: ${limitation}`,
          })),
      { exitCode: EXIT.failed },
    );
  });
}

/** Makes an instance the primary while the present one runs; says what became of it. */
export async function takeOver(
  session: Session,
  to: string,
  reason: string,
  signal: AbortSignal,
): Promise<string> {
  return await underLease(session, `promote ${to}`, async (lease) => {
    const topology = await observe(session.cluster, session.ports, { signal });
    return await carryOut(session, to, { topology, lease, reason, signal });
  });
}

async function underLease(
  session: Session,
  purpose: string,
  work: (lease: Lease) => Promise<string>,
): Promise<string> {
  const lease = await acquire(session, { who: operatorName(), purpose });
  try {
    return await work(lease);
  } finally {
    await lease.release();
  }
}

interface How {
  readonly topology: Topology;
  readonly lease: Lease;
  readonly reason: string;
  readonly signal: AbortSignal;
}

async function carryOut(
  { cluster, ports }: Session,
  to: string,
  { topology, lease, reason, signal }: How,
): Promise<string> {
  const planned = planPromote(topology, { to }, cluster.settings);
  if ('refusals' in planned) {
    throw new UserError(
      planned.refusals.map(({ message, remedy }) => ({ message, hint: remedy })),
      { exitCode: EXIT.failed },
    );
  }
  const who = operatorName();
  const outcome = await execute(planned.plan, {
    cluster,
    ports,
    lease,
    topology,
    who,
    reason,
    signal,
    report: () => {},
    progress: () => {},
  });
  const { from = 'nobody' } = outcome;
  if (outcome.outcome !== 'done') {
    throw new UserError(
      {
        message: `the primary was not moved from ${from} to ${to}: ${outcome.message ?? outcome.outcome}`,
        hint: 'see `failover status`',
      },
      { exitCode: EXIT.failed },
    );
  }
  const ms = outcome.unwritableMs === undefined ? '' : `, writes waited ${outcome.unwritableMs} ms`;
  const left = outcome.left.length === 0 ? '' : ` (${listed(outcome.left)})`;
  return `${to} is the primary instead of ${from}${ms}${left}`;
}
