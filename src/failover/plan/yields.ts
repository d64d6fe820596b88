import type { Plan } from './action.ts';

/**
 * Whether a plan can be cut off between any two of its steps without harm, so that a failover which needs the lock need
 * not wait for it. Such a plan replaces no data, and changes neither who takes writes, nor who is fenced, nor how the
 * primary acknowledges.
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
