import { listed } from '../../lib/listed.ts';
import { contains, intersect, isEmpty, noGtids, subtract, type Gtids } from '../../database/gtid.ts';
import { namesOf, type Survey } from '../cluster/survey.ts';
import type { Answering, Instance } from '../cluster/topology.ts';
import { isLate } from './holdings.ts';
import { refusal, type Refusal } from './refusals.ts';

/** Who has, without an instance, what that one holds of the primary. */
export interface Keepers {
  readonly without: Instance;
  readonly held: Gtids;
  readonly having: readonly Answering[];
  readonly lacking: readonly Answering[];
}

/**
 * Who has what this instance holds of the primary, or has it within a moment: a replica that hears the primary and is
 * not late. `awaited`: the plan waits until they have received it, so it does not matter how late they apply. A silent
 * instance may hold all that the primary has; a fenced one has run no mysqld since, so it has acknowledged nothing.
 */
export function keepersOf(
  survey: Survey,
  instance: Instance,
  primary: Answering,
  { awaited = false }: { readonly awaited?: boolean } = {},
): Keepers {
  const { executed } = primary.state;
  const isFenced = survey.topology.memory.fenced?.includes(instance.spec.name) === true;
  const held =
    instance.kind === 'answering'
      ? intersect(survey.holds(instance), executed)
      : isFenced
        ? noGtids(executed.flavour)
        : executed;
  const others = survey.others.filter((other) => other !== instance && other !== primary);
  const having = others.filter(
    (other) =>
      contains(survey.holds(other), held) ||
      (survey.links.get(other.spec.name)?.state === 'hears' &&
        (other.state.semiSync.replica.active || !isWaiting(primary)) &&
        (awaited || !isLate(survey.settings, other))),
  );
  return { without: instance, held, having, lacking: others.filter((other) => !having.includes(other)) };
}

/** How many must have what a replica holds before that one goes: as many as the primary waits for. */
export function neededKeepers(primary: Answering): number {
  return isWaiting(primary) ? primary.state.semiSync.source.requiredAcks : 0;
}

/** Why the data of this instance must be kept: fewer others than the primary waits for have what it holds of the primary. */
export function holdsAcknowledged(
  survey: Survey,
  primary: Answering,
  { without, held, having, lacking }: Keepers,
): Refusal | undefined {
  const needed = neededKeepers(primary);
  if (isEmpty(held) || having.length >= needed) return undefined;
  const { name } = without.spec;
  const silent = survey.lostOthers.filter((other) => other !== without);
  return refusal(
    'HoldsAcknowledged',
    name,
    `${name} ${without.kind === 'silent' ? 'may hold' : 'holds'} acknowledged transactions that must be on ${needed} of the replicas, and ${having.length} of the others ${having.length === 1 ? 'has' : 'have'} them`,
    {
      remedy: `${[
        ...(lacking.length > 0
          ? [`wait until ${listed(namesOf(lacking))} has caught up (\`failover lag\`)`]
          : []),
        ...(silent.length > 0 ? [`bring ${listed(namesOf(silent))} back`] : []),
        ...(lacking.length + silent.length === 0 ? ['add another replica first'] : []),
      ].join('; or ')}; then run it again`,
      forceable: true,
      details: lacking.map(
        (other) => `${other.spec.name} lacks ${subtract(held, survey.holds(other)).toString()}`,
      ),
    },
  );
}

function isWaiting({ state }: Answering): boolean {
  const { source } = state.semiSync;
  return source.enabled && source.active;
}
