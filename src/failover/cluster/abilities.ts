import type { Abilities } from '../../balancer/balancer.ts';
import type { BalancerView } from './topology.ts';

/** A view that does not say what its balancer can do is that of an HAProxy. */
const HAPROXY: Abilities = { kind: 'haproxy', holds: true, ends: true, checks: true, staleSeconds: 0 };

export function abilitiesIn({ abilities = HAPROXY }: BalancerView): Abilities {
  return abilities;
}
