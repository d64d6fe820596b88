import { instanceOf } from '../../failover/execute/carry-out.ts';
import type { StepEvent } from '../../failover/execute/outcome.ts';
import type { Plan } from '../../failover/plan/action.ts';
import { sentenceOf } from '../../failover/plan/sentence.ts';
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
  /** Milliseconds since the change was asked for, or agreed to. */
  readonly elapsedMs: () => number;
}

const MARKS = { running: '…', done: '✔', failed: '✖', undone: '↩', skipped: '↓' } as const;

/** `✔ db1 takes no more writes  12 ms`; in the journal, which has no more, by the step's name. */
export function stepLine(event: StepEvent, styles: Palette, title: string = nameOf(event)): string {
  const paint = {
    running: styles.quiet,
    done: styles.ok,
    failed: styles.failed,
    undone: styles.changed,
    skipped: styles.quiet,
  }[event.status];
  const message = event.message === undefined ? '' : `  ${event.message}`;
  const undone = event.status === 'undone' ? 'taken back: ' : '';
  return `  ${paint(MARKS[event.status])} ${undone}${title}  ${styles.quiet(`${event.ms} ms`)}${message}`;
}

/** What each step of a plan does, by the name that events give it. */
export function sentencesOf(plan: Plan): (event: Pick<StepEvent, 'name' | 'instance'>) => string {
  const sentences = new Map(
    plan.stages
      .flat()
      .map(
        ({ name, action }) => [nameOf({ name, instance: instanceOf(action) }), sentenceOf(action)] as const,
      ),
  );
  return (event) => sentences.get(nameOf(event)) ?? nameOf(event);
}

/**
 * That writes are accepted again, at the moment when the balancers send them to the new primary: what follows (fencing a
 * machine that does not answer, moving replicas) keeps nobody waiting. Undefined for every other step.
 */
export function writesAccepted(plan: Plan, event: StepEvent, elapsedMs: number): string | undefined {
  const moves = plan.kind === 'switchover' || plan.kind === 'failover';
  if (!moves || event.status !== 'done' || event.name !== 'point-writers' || event.instance !== plan.to)
    return undefined;
  const waits = plan.notes.find((note) => note.includes(': its writes wait until '));
  const seconds = (elapsedMs / 1000).toFixed(2);
  return waits === undefined
    ? `writes are accepted: ${plan.to} is the primary, after ${seconds} s`
    : `${plan.to} is the primary, after ${seconds} s; ${waits}`;
}

/** `make-read-only db1`: stable, and unique in a plan. */
export function nameOf({ name, instance }: Pick<StepEvent, 'name' | 'instance'>): string {
  return instance === undefined ? name : `${name} ${instance}`;
}
