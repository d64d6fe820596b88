import type { Outcome } from '../../steps/plan.ts';
import type { StepOutput } from '../../steps/step.ts';

/** What a task says that has moved the service of its site. */
export function siteOutcome(outputs: readonly StepOutput[]): Outcome {
  const said = outputs.find((output) => output.kind === 'site');
  const { changed = false, message = '' } = said ?? {};
  return { status: 'ok', changed, result: { msg: message } };
}
