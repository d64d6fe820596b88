import type { StepOutput } from '../../steps/step.ts';

/** What a step wrote to stdout; nothing when it gave no output. */
export function outputText(output: StepOutput | undefined): string {
  return output?.kind === 'exit' ? output.stdout.toString('utf8') : '';
}
