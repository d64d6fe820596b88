import type { Plan } from '../../failover/plan/action.ts';
import { instanceOf } from '../../failover/execute/carry-out.ts';
import type { StepEvent } from '../../failover/execute/outcome.ts';
import type { Palette } from '../../report/palette.ts';

/** Shows a change while it happens. */
export interface ChangeView {
  step(event: StepEvent): void;
  progress(instance: string, line: string): void;
  close(): Promise<void>;
}

export interface ViewOptions {
  readonly json: boolean;
  readonly styles: Palette;
  readonly redact: (text: string) => string;
}

const MARKS = { running: '…', done: '✔', failed: '✖', undone: '↩', skipped: '↓' } as const;

/** `✔ make-read-only db1  12 ms`. */
export function stepLine(event: StepEvent, styles: Palette): string {
  const paint = {
    running: styles.quiet,
    done: styles.ok,
    failed: styles.failed,
    undone: styles.changed,
    skipped: styles.quiet,
  }[event.status];
  const message = event.message === undefined ? '' : `  ${event.message}`;
  return `  ${paint(MARKS[event.status])} ${stepTitle(event)}  ${styles.quiet(`${event.ms} ms`)}${message}`;
}

export function stepTitle({ name, instance }: Pick<StepEvent, 'name' | 'instance'>): string {
  return instance === undefined ? name : `${name} ${instance}`;
}

/** The same for a step of a plan, before it begins. */
export function titleOf(step: Plan['stages'][number][number]): string {
  return stepTitle({ name: step.name, instance: instanceOf(step.action) });
}
