import type { Plan } from './action.ts';

/**
 * Whether a plan can be cut off between any two of its steps without harm: a failover that needs the lock need not wait
 * for it. It replaces no data, and does not touch who takes writes, who is fenced, or how the primary acknowledges.
 */
export function yields(plan: Plan): boolean {
  if (plan.kind === 'switchover' || plan.kind === 'failover') return false;
  return plan.stages.flat().every((step) => {
    if (step.irreversible) return false;
    switch (step.action.do) {
      case 'make-read-only':
      case 'make-writable':
      case 'fence':
      case 'clone':
      case 'inject-empty':
        return false;
      case 'semi-sync-source':
        return step.action.instance === plan.to && plan.kind === 'rejoin';
      default:
        return true;
    }
  });
}
