import type { FactReader } from '../facts/fact.ts';
import type { Plan } from '../plan/plan.ts';
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
        description: 'fetch the package lists',
        script: updateScript(60, retries, maximumDelay),
      },
    ],
  };
}

/** The value of a fact, or undefined when it was not asked for. */
export function optional<Fact>(facts: FactReader, query: Parameters<FactReader['get']>[0]): Fact | undefined {
  return facts.has(query) ? (facts.get(query) as Fact) : undefined;
}
