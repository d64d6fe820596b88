import { observe } from '../reach/observe.ts';
import type { LookAgain, Plan } from '../plan/action.ts';
import { planRestOfFailover, type Beginning } from '../plan/failover.ts';
import type { ExecuteOptions } from './outcome.ts';

/**
 * Looks at the cluster again in the middle of a change, and plans what follows. An instance that was silent when the
 * change began is not waited for: what counts is what the others hold now.
 */
export async function lookAgain(
  begun: Plan,
  again: LookAgain,
  options: ExecuteOptions,
): Promise<{ readonly plan: Plan; readonly begins: Beginning } | { readonly refused: string }> {
  const { cluster, ports, topology, look, signal } = options;
  const known = topology.instances.filter(
    (instance) => instance.kind === 'silent' || instance.spec.name === begun.from,
  );
  const now = await (look ?? ((how) => observe(cluster, ports, how)))({
    known: new Map(known.map((instance) => [instance.spec.name, instance])),
    memory: topology.memory,
    withoutBalancers: true,
    signal,
  });
  const planned = planRestOfFailover(
    { ...now, balancers: topology.balancers },
    topology,
    { ...begun, lookAgain: again },
    cluster.settings,
  );
  if ('refusals' in planned) return { refused: planned.refusals.map(({ message }) => message).join('; ') };
  const { plan, begins } = planned;
  const stages = [...begun.stages.slice(0, again.after), ...plan.stages];
  return { plan: { ...plan, stages, lookAgain: again }, begins };
}
