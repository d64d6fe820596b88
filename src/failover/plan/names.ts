import { didYouMean } from '../../lib/similar.ts';
import { refusal, type Refusal } from './refusals.ts';
import { listed } from '../../lib/listed.ts';
import { namesOf, type Survey } from '../cluster/survey.ts';
import type { Instance } from '../cluster/topology.ts';

/** Finds an instance by its own name or by the name of its host. */
export function find(survey: Survey, name: string): Instance | undefined {
  return survey.instance(name) ?? survey.topology.instances.find((instance) => instance.spec.host === name);
}

/** The refusal for a name that no instance has. */
export function unknownInstance(survey: Survey, name: string): Refusal {
  const names = namesOf(survey.topology.instances);
  return refusal('UnknownInstance', undefined, `there is no instance "${name}"`, {
    remedy: didYouMean(name, names) ?? `the instances are ${listed(names)}`,
  });
}
