import type { Plan } from './action.ts';
import type { RefusalCode } from './refusal-codes.ts';
import type { RiskCode } from './risks.ts';

/** Why a change is not made, and what to do about it. Every refusal gives a reason; none is a bare "no". */
export interface Refusal {
  readonly code: RefusalCode;
  readonly instance?: string | undefined;
  readonly message: string;
  readonly remedy: string;
  /** The risk that an operator may accept by its name, to go ahead in spite of this refusal; undefined when none may. */
  readonly risk: RiskCode | undefined;
  /** Sessions, GTIDs: one line each. */
  readonly details: readonly string[];
}

/** A plan, or every reason why there is none. */
export type Planned = { readonly plan: Plan } | { readonly refusals: readonly Refusal[] };

/** What else there is to say about a refusal. Only one that is listed among the risks can be `forceable`. */
export interface RefusalMore<Code extends RefusalCode> {
  readonly forceable?: Code extends RiskCode ? boolean : false;
  readonly details?: readonly string[];
}

/** Makes a refusal. Fields that are not given are empty. */
export function refusal<const Code extends RefusalCode>(
  code: Code,
  instance: string | undefined,
  message: string,
  more: RefusalMore<Code> & { readonly remedy: string },
): Refusal {
  return {
    code,
    instance,
    message,
    remedy: more.remedy,
    // The type of `forceable` admits risks only.
    risk: more.forceable ? (code as Code & RiskCode) : undefined,
    details: more.details ?? [],
  };
}

/** The refusals that stand when these risks are accepted. */
export function notAccepted(found: readonly Refusal[], accepts: readonly RiskCode[]): readonly Refusal[] {
  return found.filter(({ risk }) => risk === undefined || !accepts.includes(risk));
}
