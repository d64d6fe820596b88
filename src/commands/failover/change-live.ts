import { Listr } from 'listr2';

import type { Plan } from '../../failover/plan/action.ts';
import type { StepEvent } from '../../failover/execute/outcome.ts';
import { type ChangeView, stepLine, titleOf, stepTitle, type ViewOptions } from './step-line.ts';

interface Signal {
  readonly promise: Promise<void>;
  resolve(): void;
}

interface Entry {
  readonly begun: Signal;
  readonly ended: Signal;
  failure: string | undefined;
  skipped: string | undefined;
  say: ((line: string) => void) | undefined;
}

/** The steps as a list whose marks follow what happens; what is taken back is told in lines below it. */
export function liveView(plan: Plan, { styles, redact }: ViewOptions): ChangeView {
  const entries = new Map<string, Entry>();
  const steps = plan.stages.flat();
  // What runs beside the rest ends when it ends: it must not hold up what is shown of the others.
  for (const step of [...steps.filter((each) => !each.beside), ...steps.filter((each) => each.beside)]) {
    entries.set(titleOf(step), {
      begun: signal(),
      ended: signal(),
      failure: undefined,
      skipped: undefined,
      say: undefined,
    });
  }
  const later: string[] = [];
  let isClosed = false;
  const list = new Listr(
    [...entries].map(([title, entry]) => ({
      title,
      task: async (_context: unknown, task) => {
        entry.say = (line) => (task.output = redact(line));
        await entry.begun.promise;
        if (isClosed) return task.skip(`${title} ${styles.quiet('not tried')}`);
        await entry.ended.promise;
        if (entry.skipped !== undefined) return task.skip(`${title}  ${redact(entry.skipped)}`);
        if (entry.failure !== undefined) throw new Error(redact(entry.failure));
        return undefined;
      },
    })),
    {
      concurrent: false,
      exitOnError: false,
      registerSignalListeners: false,
      rendererOptions: { collapseErrors: false, showErrorMessage: true },
    },
  );
  const running = list.run().catch(() => {});

  return {
    step(event: StepEvent) {
      const entry = entries.get(stepTitle(event));
      if (!entry || event.status === 'undone') {
        later.push(stepLine(event, styles));
        return;
      }
      entry.begun.resolve();
      if (event.status === 'running') return;
      if (event.status === 'failed') entry.failure = event.message ?? 'failed';
      if (event.status === 'skipped') entry.skipped = event.message ?? 'skipped';
      entry.ended.resolve();
    },
    progress(instance, line) {
      for (const [title, entry] of entries) if (title.endsWith(` ${instance}`)) entry.say?.(line);
    },
    async close() {
      isClosed = true;
      for (const entry of entries.values()) {
        entry.begun.resolve();
        entry.ended.resolve();
      }
      await running;
      for (const line of later) process.stdout.write(redact(`${line}\n`));
    },
  };
}

function signal(): Signal {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
