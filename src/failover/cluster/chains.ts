import { isFollowing } from './links.ts';
import type { Survey } from './survey.ts';
import type { Answering, Instance } from './topology.ts';

/**
 * An operator has put this replica below another replica, and it follows that one: it stays there when the primary
 * changes. It gets everything by way of the other one, and acknowledges nothing to the primary. It does not stay below
 * the instance that becomes the primary, since it is a direct replica then, nor below one that is given up.
 */
export function staysBelow(survey: Survey, instance: Answering, to: Instance | undefined): boolean {
  const { name } = instance.spec;
  const source = survey.links.get(name)?.source;
  return (
    source !== undefined &&
    source.kind === 'answering' &&
    source !== survey.primary &&
    source !== to &&
    source.state.readOnly &&
    survey.topology.memory.below?.[name] === source.spec.name &&
    isFollowing(survey.links, instance)
  );
}
