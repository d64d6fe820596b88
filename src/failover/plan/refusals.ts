import type { Plan } from './action.ts';
import type { RefusalCode } from './refusal-codes.ts';

/** Why something is not done, and what to do about it. A reason, never a boolean. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly instance?: string | undefined;
  readonly message: string;
  readonly remedy: string;
  /** `--force` goes ahead in spite of it: the operator accepts what the message names. */
  readonly forceable: boolean;
  /** Sessions, GTIDs: one line each. */
  readonly details: readonly string[];
}

/** A plan, or every reason why there is none. */
export type Planned = { readonly plan: Plan } | { readonly refusals: readonly Refusal[] };

/** Makes a refusal; what it does not say is left empty. */
export function refusal(
  code: RefusalCode,
  instance: string | undefined,
  message: string,
  more: { readonly remedy: string; readonly forceable?: boolean; readonly details?: readonly string[] },
): Refusal {
  return {
    code,
    instance,
    message,
    remedy: more.remedy,
    forceable: more.forceable ?? false,
    details: more.details ?? [],
  };
}
