import type { Recovery } from '../cluster/problem.ts';
import type { Survey } from '../cluster/survey.ts';
import type { Answering } from '../cluster/topology.ts';

/** One kind of problem: how it is found, how urgent it is and what is done about it, all in one place. */
export interface Row<Code extends string = string> {
  readonly code: Code;
  /** For the documentation: what it means, in one sentence. */
  readonly description: string;
  readonly severity: 'critical' | 'warning' | 'notice';
  /** The automatic recovery; undefined: the watch only reports the problem. */
  readonly recovery?: Recovery | undefined;
  /** Reported for an instance in a downtime too, because it is dangerous. */
  readonly evenInDowntime?: true | undefined;
  /** Every instance, or other place, for which the problem holds. */
  find(survey: Survey): readonly Finding[];
  /** What the reader can do, or what happens automatically. */
  remedy(finding: Finding, survey: Survey): string;
}

export interface Finding {
  readonly instance?: string | undefined;
  /** Says what was found. */
  readonly message: string;
}

/** One finding when the condition holds. */
export function when(condition: boolean, finding: () => Finding): readonly Finding[] {
  return condition ? [finding()] : [];
}

/** What is found at each instance that answers and is not the primary. */
export function each(survey: Survey, find: (instance: Answering) => readonly Finding[]): readonly Finding[] {
  return survey.others.flatMap(find);
}
