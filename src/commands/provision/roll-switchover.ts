import { candidates } from '../../failover/plan/candidates.ts';
import { planPromote } from '../../failover/plan/promote.ts';
import { execute } from '../../failover/execute/execute.ts';
import { observe } from '../../failover/reach/observe.ts';
import { EXIT, UserError } from '../../lib/errors.ts';
import { listed } from '../../lib/listed.ts';
import type { Move } from '../../site/roll/next.ts';
import { acquire } from '../failover/change-lock.ts';
import { operatorName } from '../failover/options.ts';
import type { Session } from '../failover/session.ts';

/** Makes another instance the primary, one of those that are named when there are any; says what became of it. */
export async function switchOver(
  session: Session,
  { from, host, among }: Extract<Move, { kind: 'primary' }>,
  purpose: string,
  signal: AbortSignal,
): Promise<string> {
  const { cluster, ports } = session;
  const who = operatorName();
  const lease = await acquire(session, { who, purpose: `promote another instance than ${from}` });
  try {
    const topology = await observe(cluster, ports, { signal });
    const ranked = candidates(topology, cluster.settings).filter(
      ({ name, instance }) => instance.spec.host !== host && (among.length === 0 || among.includes(name)),
    );
    const to = ranked.find(({ limitation }) => limitation === undefined);
    if (to === undefined) {
      throw new UserError(
        ranked.length === 0
          ? { message: `nobody can become the primary in the place of ${from}` }
          : ranked.map(({ name, limitation = '' }) => ({
              message: `${name} cannot become the primary: ${limitation}`,
            })),
        { exitCode: EXIT.failed },
      );
    }
    const planned = planPromote(topology, { to: to.name }, cluster.settings);
    if ('refusals' in planned) {
      throw new UserError(
        planned.refusals.map(({ message, remedy }) => ({ message, hint: remedy })),
        { exitCode: EXIT.failed },
      );
    }
    const outcome = await execute(planned.plan, {
      cluster,
      ports,
      lease,
      topology,
      who,
      reason: purpose,
      signal,
      report: () => {},
      progress: () => {},
    });
    if (outcome.outcome !== 'done') {
      throw new UserError(
        {
          message: `the primary was not moved from ${from} to ${to.name}: ${outcome.message ?? outcome.outcome}`,
          hint: 'see `failover status`',
        },
        { exitCode: EXIT.failed },
      );
    }
    const ms = outcome.unwritableMs === undefined ? '' : `, writes waited ${outcome.unwritableMs} ms`;
    const left = outcome.left.length === 0 ? '' : ` (${listed(outcome.left)})`;
    return `${to.name} is the primary instead of ${from}${ms}${left}`;
  } finally {
    await lease.release();
  }
}
