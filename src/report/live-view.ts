import {
  DefaultRenderer,
  Listr,
  ListrDefaultRendererLogLevels as Level,
  ListrLogger,
  type ListrDefaultRendererOptions,
  ListrTaskState,
  ProcessOutput,
  Spinner,
} from 'listr2';
import { stripVTControlCharacters } from 'node:util';

import type { TaskStatus } from '../run/events.ts';
import type { Palette } from './palette.ts';

/** How one host is getting on with the task that is shown. The view reads it whenever it draws. */
export interface LiveHost {
  readonly name: string;
  /** Its turn has not come. */
  readonly isWaiting?: boolean;
  /** Set when the host is done with the task. */
  readonly status: TaskStatus | undefined;
  /** What it is doing, or how it ended. */
  readonly line: string;
}

/** The task that is shown. The view reads it whenever it draws. */
export interface LiveTask {
  readonly title: string;
  readonly startedAt: number;
  readonly hosts: readonly LiveHost[];
}

export interface LiveViewOptions {
  readonly styles: Palette;
  /** What somebody else wrote to the terminal while the view was on it. */
  readonly onForeignText: (text: string) => void;
  /** Other streams that show on the same terminal. */
  readonly alsoShown: readonly NodeJS.WriteStream[];
}

const DRAW_INTERVAL_MS = 100;

/** Rows that a task needs besides its hosts, and one to spare for the cursor. */
const OTHER_ROWS = 4;

/**
 * The lines at the bottom of a terminal that show a task's hosts, drawn by listr2. It leaves nothing behind: what
 * shall stay on the screen is written between two views.
 */
export class LiveView {
  readonly task: LiveTask;
  readonly #finish = Promise.withResolvers<void>();
  readonly #slots: Slot[] = [];
  readonly #waiting: LiveHost[] = [];
  readonly #run: Promise<unknown>;
  readonly #terminal: SharedTerminal;
  #setTitle: (title: string) => void = () => {};

  constructor(stream: NodeJS.WriteStream, task: LiveTask, options: LiveViewOptions) {
    this.task = task;
    this.#terminal = new SharedTerminal(stream, options);
    const places = Math.max(1, (stream.rows ?? 24) - OTHER_ROWS);
    // Hosts that are done make room for those that are not, so only the latter need a place.
    const open = task.hosts.filter((host) => host.status === undefined);
    const shown = task.hosts.length <= places ? task.hosts : open.slice(0, places);
    this.#waiting.push(...open.filter((host) => !shown.includes(host)));
    const closed = this.#finish.promise;
    const listr = new Listr(
      [
        {
          title: this.#title(),
          task: (_, root) => {
            this.#setTitle = (title) => {
              root.title = title;
            };
            const list = root.newListr(
              shown.map((host) => ({
                title: host.name,
                task: async (_context: unknown, row) => {
                  const slot = new Slot(host, row);
                  this.#slots.push(slot);
                  slot.draw();
                  // Who was done before this view shows its mark in the first frame.
                  if (host.status !== undefined) slot.settle();
                  await Promise.race([slot.done, closed]);
                },
              })),
              { concurrent: true, exitOnError: false },
            );
            // The list is over when its view is closed, not when its hosts are: the next task may follow at once.
            return shown.length === 0 ? closed : list;
          },
        },
        { task: () => closed },
      ],
      {
        concurrent: true,
        exitOnError: false,
        registerSignalListeners: false,
        renderer: ThrottledRenderer,
        rendererOptions: this.#rendererOptions(options.styles),
      },
    );
    this.#run = listr.run();
  }

  /** Takes the view off the screen. */
  async close(): Promise<void> {
    this.#finish.resolve();
    await this.#run;
  }

  /** Lets go of the terminal at once, for a program that is about to end; the last frame stays. */
  abandon(): void {
    this.#terminal.release();
  }

  #rendererOptions(styles: Palette): ListrDefaultRendererOptions {
    return {
      clearOutput: true,
      collapseSubtasks: false,
      collapseErrors: false,
      showErrorMessage: false,
      formatOutput: 'truncate',
      spinner: new DrawingSpinner(() => this.#draw()),
      logger: new ListrLogger({ processOutput: this.#terminal }),
      color: {
        [Level.PENDING]: (text = '') => styles.changed(text),
        [Level.WAITING]: (text = '') => styles.quiet(text),
        [Level.COMPLETED]: (text = '') => styles.ok(text),
        [Level.FAILED]: (text = '') => styles.failed(text),
        [Level.FAILED_WITH_FAILED_SUBTASKS]: (text = '') => styles.failed(text),
        [Level.COMPLETED_WITH_FAILED_SUBTASKS]: (text = '') => styles.failed(text),
        [Level.SKIPPED_WITH_COLLAPSE]: (text = '') => styles.quiet(text),
      },
    };
  }

  #draw(): void {
    for (const slot of this.#slots) {
      if (slot.host.status !== undefined) {
        const next = this.#nextWaiting();
        if (next === undefined) slot.settle();
        else slot.host = next;
      }
      slot.draw();
    }
    this.#setTitle(this.#title());
  }

  #title(): string {
    const { hosts, title, startedAt } = this.task;
    const done = hosts.filter((host) => host.status !== undefined).length;
    const seconds = Math.floor((performance.now() - startedAt) / 1000);
    const progress = hosts.length > 1 ? `  ${done}/${hosts.length} hosts` : '';
    return `${title}${progress}${seconds > 0 ? `  ${seconds} s` : ''}`;
  }

  #nextWaiting(): LiveHost | undefined {
    for (;;) {
      const next = this.#waiting.shift();
      if (next === undefined || next.status === undefined) return next;
    }
  }
}

/** What a slot needs of a listr2 task. */
interface Row {
  title: string;
  /** Its state gives it its mark. */
  readonly task: { state: ListrTaskState; state$: ListrTaskState };
  skip(): void;
}

/** A line of the view and the host it shows. */
class Slot {
  host: LiveHost;
  readonly done: Promise<void>;
  readonly #row: Row;
  readonly #settled = Promise.withResolvers<void>();
  #isSettled = false;

  constructor(host: LiveHost, row: Row) {
    this.host = host;
    this.#row = row;
    this.done = this.#settled.promise;
  }

  draw(): void {
    const { name, line, isWaiting = false } = this.host;
    const title = line === '' ? name : `${name}  ${line}`;
    if (this.#row.title !== title) this.#row.title = title;
    if (this.#isSettled) return;
    const state = isWaiting ? ListrTaskState.WAITING : ListrTaskState.STARTED;
    if (this.#row.task.state !== state) this.#row.task.state$ = state;
  }

  /** Gives the line the mark of how its host ended. */
  settle(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    const { status } = this.host;
    if (status === 'skipped') this.#row.skip();
    if (status === 'failed' || status === 'unreachable') this.#settled.reject(new Error(status));
    else this.#settled.resolve();
  }
}

/** listr2 draws on every change of every task; this draws at most at each turn of the spinner. */
class ThrottledRenderer extends DefaultRenderer {
  // Whether the stream is a terminal is for the caller to know: listr2 looks at stdout only.
  static override nonTTY = true;
  #drawnAt = Infinity;
  #hasEnded = false;

  override async render(): Promise<void> {
    await super.render();
    // The first look is worth having when all hosts are in it, which is once listr2 has started them.
    setImmediate(() => {
      this.#drawnAt = 0;
      this.update();
    });
  }

  override update(): void {
    const now = performance.now();
    if (this.#hasEnded || now - this.#drawnAt < DRAW_INTERVAL_MS / 2) return;
    this.#drawnAt = now;
    super.update();
  }

  override end(): void {
    this.#hasEnded = true;
    super.end();
  }
}

/** Brings the view up to date before each turn. */
class DrawingSpinner extends Spinner {
  readonly #before: () => void;

  constructor(before: () => void) {
    super();
    this.#before = before;
  }

  override start(draw?: () => void): void {
    super.start(() => {
      this.#before();
      draw?.();
    }, DRAW_INTERVAL_MS);
  }
}

/** Keeps what others write away from the lines that are being redrawn, and hands it over as it is. */
class SharedTerminal extends ProcessOutput {
  readonly #streams: readonly NodeJS.WriteStream[];
  readonly #onForeignText: (text: string) => void;
  #release: (() => void)[] = [];

  constructor(stream: NodeJS.WriteStream, options: LiveViewOptions) {
    super(stream, stream);
    this.#streams = [stream, ...options.alsoShown];
    this.#onForeignText = options.onForeignText;
  }

  override hijack(): void {
    for (const stream of this.#streams) {
      const own = Object.getOwnPropertyDescriptor(stream, 'write');
      const original = stream.write.bind(stream);
      this.#release.push(() => {
        // Usually the method is the class's, and shows again.
        if (own === undefined) Reflect.deleteProperty(stream, 'write');
        else Object.defineProperty(stream, 'write', own);
      });
      stream.write = (chunk: string | Uint8Array, ...rest: readonly unknown[]): boolean => {
        const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
        // Hiding and showing the cursor moves nothing.
        if (stripVTControlCharacters(text) === '') return original(text);
        this.#onForeignText(text);
        const done = rest.at(-1);
        if (typeof done === 'function') done();
        return true;
      };
    }
  }

  override release(): void {
    for (const restore of this.#release) restore();
    this.#release = [];
  }
}
