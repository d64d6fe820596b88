import type { Plan } from '../../failover/plan/action.ts';

export interface AskOptions {
  readonly yes: boolean;
  readonly dryRun: boolean;
  /** Nothing is asked: it interrupts nobody. Where that depends on the plan, it is asked about the plan. */
  readonly harmless?: boolean | ((plan: Plan) => boolean) | undefined;
}

/** Whether a person is asked before anything is done; without a plan, whether one may be asked. */
export function asks({ yes, dryRun, harmless = false }: AskOptions, plan?: Plan): boolean {
  if (yes || dryRun) return false;
  if (typeof harmless === 'boolean') return !harmless;
  return plan === undefined || !harmless(plan);
}
