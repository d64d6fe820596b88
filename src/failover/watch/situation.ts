import type { Silence } from '../../database/state.ts';
import { withoutCopied } from '../cluster/copies.ts';
import type { Memory } from '../cluster/memory.ts';
import type { BalancerView, Instance, Topology } from '../cluster/topology.ts';
import type { InstanceRecord } from './history.ts';

/** A state that is older than this is not used, unless states are read less often. */
const STALE_MS = 10_000;

/** The topology according to the watch's queries; undefined until every instance has been queried once. */
export function topologyOf(
  cluster: string,
  records: readonly InstanceRecord[],
  surroundings: { readonly balancers: readonly BalancerView[]; readonly memory: Memory },
  now: number,
  pollMs = 0,
): Topology | undefined {
  // One answer may be lost or late.
  const staleMs = Math.max(STALE_MS, 3 * pollMs);
  if (records.some((record) => record.silence === undefined && record.state === undefined)) return undefined;
  const { memory, balancers } = surroundings;
  const at = Date.now();
  const instances = records.map((record) => instanceOf(record, now, staleMs));
  return {
    cluster,
    at,
    instances: withoutCopied(instances, memory, at).map((instance) => withRule(instance, memory)),
    balancers,
    memory,
  };
}

function instanceOf(record: InstanceRecord, now: number, staleMs: number): Instance {
  const { spec, state, silence } = record;
  if (silence !== undefined) return { spec, kind: 'silent', silence, ms: 0 };
  const ageMs = now - record.stateAt;
  if (state !== undefined && ageMs < staleMs) return { spec, kind: 'answering', state, ms: 0 };
  const alive: Silence = {
    kind: 'timeout',
    alive: true,
    message: 'it answers, but has not told its state for too long',
  };
  return { spec, kind: 'silent', silence: alive, ms: 0 };
}

/** A promotion rule that was set at run time overrides the inventory's. */
function withRule(instance: Instance, memory: Memory): Instance {
  const rule = memory.rules[instance.spec.name];
  return rule === undefined ? instance : { ...instance, spec: { ...instance.spec, rule } };
}

/** Which instances answer, as text to compare. */
export function situationOf({ instances }: Topology): string {
  return instances.map(({ spec, kind }) => `${spec.name} ${kind}`).join(', ');
}
