import { listed } from '../../lib/listed.ts';
import { abilitiesIn } from '../cluster/abilities.ts';
import type { Survey } from '../cluster/survey.ts';
import type { BalancerView } from '../cluster/topology.ts';

/**
 * What an operator should know about how writers leave the old primary. A way that neither ends sessions nor is free of
 * caches leaves it to the old primary itself, which is read-only or fenced, or to semi-sync, that no write is
 * acknowledged there.
 */
export function writerNotes({ topology }: Survey, old: string | undefined): readonly string[] {
  const notes: string[] = [];
  const refusing = topology.balancers.filter((balancer) => !abilitiesIn(balancer).holds);
  if (refusing.length > 0)
    notes.push(`new writers are refused meanwhile, and do not wait, at ${named(refusing)}`);
  for (const balancer of topology.balancers) {
    const { ends, staleSeconds, checks } = abilitiesIn(balancer);
    if (old !== undefined && staleSeconds > 0) {
      notes.push(
        `clients of ${balancer.name} may open sessions to ${old} for ${staleSeconds} s more${ends ? '' : ', and those that are open stay until they end there'}`,
      );
    }
    if (!balancer.reachable && !checks)
      notes.push(`${balancer.name} does not answer: its clients cannot be sent to the new primary`);
  }
  return notes;
}

function named(balancers: readonly BalancerView[]): string {
  return listed(balancers.map(({ name }) => name));
}
