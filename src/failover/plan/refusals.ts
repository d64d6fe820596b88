import type { Plan } from './action.ts';
import type { RefusalCode } from './refusal-codes.ts';

/** Why a change is not made, and what to do about it. Every refusal gives a reason; none is a bare "no". */
export interface Refusal {
  readonly code: RefusalCode;
  readonly instance?: string | undefined;
  readonly message: string;
  readonly remedy: string;
  /** `--force` goes ahead in spite of this refusal: the operator accepts what the message names. */
  readonly forceable: boolean;
  /** Sessions, GTIDs: one line each. */
  readonly details: readonly string[];
}

/** A plan, or every reason why there is none. */
export type Planned = { readonly plan: Plan } | { readonly refusals: readonly Refusal[] };

/** Makes a refusal. Fields that are not given are empty. */
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
