import { observe } from '../reach/observe.ts';
import { readTail } from '../reach/read-tail.ts';
import type { LookAgain, Plan } from '../plan/action.ts';
import type { TailView } from '../cluster/tail.ts';
import type { Topology } from '../cluster/topology.ts';
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
  const tail =
    again.rescueTail && begun.from !== undefined ? await tailAt(begun.from, now, options) : undefined;
  const planned = planRestOfFailover(
    { ...now, balancers: topology.balancers, tail },
    topology,
    { ...begun, lookAgain: again },
    cluster.settings,
  );
  if ('refusals' in planned) return { refused: planned.refusals.map(({ message }) => message).join('; ') };
  const { plan, begins } = planned;
  const stages = [...begun.stages.slice(0, again.after), ...plan.stages];
  return { plan: { ...plan, stages, lookAgain: again }, begins };
}

async function tailAt(
  name: string,
  topology: Topology,
  { cluster, ports, lease, signal }: ExecuteOptions,
): Promise<TailView> {
  const machine = ports.machines.get(name);
  if (machine === undefined) throw new Error(`the cluster has no machine of ${name}`);
  const limit = AbortSignal.timeout(cluster.settings.catchUpTimeoutMs);
  try {
    const signals = [limit, lease.signal, ...(signal ? [signal] : [])];
    return await readTail(machine, name, topology, cluster.flavour, AbortSignal.any(signals));
  } catch (error) {
    if (!limit.aborted) throw error;
    return { instance: name, unreadable: `that took more than ${cluster.settings.catchUpTimeoutMs} ms` };
  }
}
