import type { Plan } from '../../failover/plan/action.ts';
import { type ChangeView, sentencesOf, stepLine, type ViewOptions, writesAccepted } from './step-line.ts';

/** A live list on a terminal, a line a step elsewhere; with --json the lines go to stderr. */
export async function changeView(plan: Plan, options: ViewOptions): Promise<ChangeView> {
  const stream = options.json ? process.stderr : process.stdout;
  // A terminal that does not say how wide it is would be given a letter a line.
  if (!options.json && stream.isTTY && stream.columns > 0 && process.env['TERM'] !== 'dumb') {
    const { liveView } = await import('./change-live.ts');
    return liveView(plan, options);
  }
  return plainView(stream, plan, options);
}

/** A line a step, when it has ended. */
export function plainView(
  stream: { write(text: string): unknown },
  plan: Plan,
  { styles, redact, elapsedMs }: Omit<ViewOptions, 'json'>,
): ChangeView {
  const sentence = sentencesOf(plan);
  return {
    step(event) {
      if (event.status === 'running') return;
      stream.write(redact(`${stepLine(event, styles, sentence(event))}\n`));
      const accepted = writesAccepted(plan, event, elapsedMs());
      if (accepted !== undefined) stream.write(redact(`  ${styles.strong(accepted)}\n`));
    },
    progress(instance, line) {
      stream.write(redact(`    ${instance}: ${line}\n`));
    },
    close: async () => {},
  };
}
