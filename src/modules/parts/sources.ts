import type { Plan } from '../../steps/plan.ts';
import { updateScript } from './apt-scripts.ts';

/** After a source of packages has changed, the lists are fetched in the same go. */
export function thenUpdate(plan: Plan, retries: number, maximumDelay: number): Plan {
  if (plan.kind !== 'change') return plan;
  return {
    ...plan,
    steps: [
      ...plan.steps,
      {
        kind: 'script',
        speaks: 'apt',
        description: 'fetch the package lists',
        script: updateScript(60, retries, maximumDelay),
      },
    ],
  };
}
