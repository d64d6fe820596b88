import type { Recovery } from '../cluster/problem.ts';
import type { Survey } from '../cluster/survey.ts';

/** One kind of problem: how it is found, how urgent it is and what is done about it, all in one place. */
export interface Row<Code extends string = string> {
  readonly code: Code;
  /** For the documentation: what it means, in one sentence. */
  readonly description: string;
  readonly severity: 'critical' | 'warning' | 'notice';
  /** What the watch does by itself; undefined: it only tells. */
  readonly recovery?: Recovery | undefined;
  /** Reported for an instance in a downtime, too: silence about it would be dangerous. */
  readonly evenInDowntime?: true | undefined;
  /** Every place where it holds; none is the good case. */
  find(survey: Survey): readonly Finding[];
  /** What the reader may type, or what happens without him. */
  remedy(finding: Finding, survey: Survey): string;
}

export interface Finding {
  readonly instance?: string | undefined;
  /** With the facts filled in. */
  readonly message: string;
}

/** One finding when the condition holds. */
export function when(condition: boolean, finding: () => Finding): readonly Finding[] {
  return condition ? [finding()] : [];
}
