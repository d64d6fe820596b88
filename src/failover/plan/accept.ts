import type { Planned, Refusal } from './refusals.ts';
import type { RiskCode } from './risks.ts';

export interface Acceptable<P extends Planned> {
  /** The refusals that an operator would have to accept, in the order in which they turn up. */
  readonly needed: readonly (Refusal & { readonly risk: RiskCode })[];
  /** What is planned when all of them are accepted: refusals when one of them cannot be. */
  readonly planned: P;
}

/**
 * Finds the risks that stand between a wish and its plan, one after the other: who has accepted the first may not have
 * to accept the second, because the plan is another one then.
 */
export function acceptable<P extends Planned>(
  planWith: (accepts: readonly RiskCode[]) => P,
  accepts: readonly RiskCode[] = [],
): Acceptable<P> {
  const needed: (Refusal & { readonly risk: RiskCode })[] = [];
  for (;;) {
    const planned = planWith([...accepts, ...needed.map(({ risk }) => risk)]);
    if ('plan' in planned) return { needed, planned };
    const [next] = planned.refusals
      .filter(isAcceptable)
      .filter(({ risk }) => !needed.some((one) => one.risk === risk));
    if (next === undefined || !planned.refusals.every(isAcceptable)) return { needed, planned };
    needed.push(next);
  }
}

function isAcceptable(one: Refusal): one is Refusal & { readonly risk: RiskCode } {
  return one.risk !== undefined;
}
