import type { InstanceState } from '../../database/state.ts';
import type { InstanceSpec } from '../cluster/topology.ts';

/** The replicas whose receivers try to connect to a silent source; undefined when one may hear it, or nobody follows it. */
export function seekersOf(
  source: InstanceSpec,
  states: ReadonlyMap<string, InstanceState>,
): readonly string[] | undefined {
  const replicas = [...states].flatMap(([name, { replication }]) =>
    replication ? [{ name, ...replication }] : [],
  );
  const isWitness = ({ receiver, sourceHost, sourcePort }: (typeof replicas)[number]): boolean =>
    receiver !== 'on' && sourceHost === source.address && sourcePort === source.port;
  if (replicas.length === 0 || !replicas.every(isWitness)) return undefined;
  return replicas.filter(({ receiver }) => receiver === 'connecting').map(({ name }) => name);
}

const LEAST_MS = 150;
const MOST_MS = 400;

/**
 * For how much longer a silent source is waited for when all others have answered, the slowest after `slowestMs`, and
 * none hears it: they are witnesses that it is dead. It gets three times as long as they took, since it is asked on the
 * same ways.
 */
export function witnessedPatienceMs(slowestMs: number): number {
  return Math.min(MOST_MS, Math.max(LEAST_MS, 2 * slowestMs));
}
