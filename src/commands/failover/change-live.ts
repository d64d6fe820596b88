import { Listr } from 'listr2';

import type { Plan } from '../../failover/plan/action.ts';
import type { StepEvent } from '../../failover/execute/outcome.ts';
import { instanceOf } from '../../failover/execute/carry-out.ts';
import {
  type ChangeView,
  nameOf,
  sentencesOf,
  stepLine,
  type ViewOptions,
  writesAccepted,
} from './step-line.ts';

interface Signal {
  readonly promise: Promise<void>;
  resolve(): void;
}

interface Entry {
  readonly begun: Signal;
  readonly ended: Signal;
  failure: string | undefined;
  skipped: string | undefined;
  readonly instance: string | undefined;
  readonly title: string;
  rename: ((title: string) => void) | undefined;
  say: ((line: string) => void) | undefined;
}

/** The steps as a list whose marks follow what happens; what is taken back is told in lines below it. */
export function liveView(plan: Plan, { styles, redact, elapsedMs }: ViewOptions): ChangeView {
  const sentence = sentencesOf(plan);
  const entries = new Map<string, Entry>();
  const steps = plan.stages.flat();
  // What runs beside the rest ends when it ends: it must not hold up what is shown of the others.
  for (const step of [...steps.filter((each) => !each.beside), ...steps.filter((each) => each.beside)]) {
    const event = { name: step.name, instance: instanceOf(step.action) };
    entries.set(nameOf(event), {
      instance: event.instance,
      title: sentence(event),
      rename: undefined,
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
    [...entries.values()].map((entry) => ({
      title: entry.title,
      task: async (_context: unknown, task) => {
        entry.say = (line) => (task.output = redact(line));
        entry.rename = (title) => (task.title = redact(title));
        await entry.begun.promise;
        if (isClosed) return task.skip(`${entry.title} ${styles.quiet('not tried')}`);
        await entry.ended.promise;
        if (entry.skipped !== undefined) return task.skip(`${entry.title}  ${redact(entry.skipped)}`);
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
      const entry = entries.get(nameOf(event));
      if (!entry || event.status === 'undone') {
        later.push(stepLine(event, styles, sentence(event)));
        return;
      }
      entry.begun.resolve();
      if (event.status === 'running') return;
      if (event.status === 'failed') entry.failure = event.message ?? 'failed';
      if (event.status === 'skipped') entry.skipped = event.message ?? 'skipped';
      const accepted = writesAccepted(plan, event, elapsedMs());
      if (accepted !== undefined) entry.rename?.(`${entry.title}: ${styles.strong(accepted)}`);
      entry.ended.resolve();
    },
    progress(instance, line) {
      for (const entry of entries.values()) if (entry.instance === instance) entry.say?.(line);
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
