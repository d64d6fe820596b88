import { intersect, union } from '../../database/gtid.ts';
import type { Memory } from './memory.ts';
import { primaryOf } from './primary.ts';
import type { Instance, Topology } from './topology.ts';

/** The process that is replacing an instance's data by a copy at this time; undefined when none is. */
export function copierOf({ copies }: Memory, name: string, at: number): string | undefined {
  const copy = copies?.[name];
  return copy !== undefined && at < copy.until ? copy.by : undefined;
}

/** The primary's GTIDs that an instance holds, as text: whatever it acknowledged to the primary is among them. */
export function heldOfPrimary(topology: Topology, name: string): string | undefined {
  const view = primaryOf(topology);
  const instance = topology.instances.find(({ spec }) => spec.name === name);
  if (view.kind !== 'writable' || instance?.kind !== 'answering') return undefined;
  const { executed, replication } = instance.state;
  const holds = replication === undefined ? executed : union(executed, replication.backlog);
  return intersect(holds, view.primary.state.executed).toString();
}

/**
 * Treats instances whose data are being replaced as silent. Their servers may answer meanwhile, but they execute no
 * statements and may restart at any moment.
 */
export function withoutCopied(
  instances: readonly Instance[],
  memory: Memory,
  at: number,
): readonly Instance[] {
  return instances.map((instance): Instance => {
    const by = copierOf(memory, instance.spec.name, at);
    if (by === undefined) return instance;
    const message = `its data are being replaced by a copy (${by})`;
    const { spec, ms } = instance;
    return { spec, ms, kind: 'silent', silence: { kind: 'error', alive: true, message } };
  });
}
