import { type LiveTask, LiveView } from './live-view.ts';
import type { Palette } from './palette.ts';
import { drained, type ReportStream } from './stream.ts';

/** How often the terminal is looked after. Faster tasks come and go unseen; only what is written of them stays. */
const TICK_MS = 100;

/** Where somebody shows what runs now, and writes what shall stay. */
export interface Screen {
  /** Shows a task in the place of the one before. */
  show(task: LiveTask): void;
  /** Nothing new is to be shown: what is on the screen stays until something is written, or the screen is closed. */
  rest(): void;
  /** Writes text above what is shown. */
  print(text: string): void;
  /** Takes everything that moves off the screen; resolves when all text is written. */
  close(): Promise<void>;
}

/** A terminal: at its bottom what runs now, above it text that stays. */
export class LiveScreen implements Screen {
  readonly #stream: ReportStream;
  readonly #styles: Palette;
  #task: LiveTask | undefined;
  #view: LiveView | undefined;
  /** Text that waits until the view is off the screen. */
  #pending = '';
  #timer: NodeJS.Timeout | undefined;
  /** Views come and go one after the other. */
  #turn: Promise<void> = Promise.resolve();
  #isTurning = false;

  constructor(stream: ReportStream, styles: Palette) {
    this.#stream = stream;
    this.#styles = styles;
    process.once('exit', this.#onExit);
  }

  show(task: LiveTask): void {
    this.#task = task;
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref();
  }

  rest(): void {
    this.#task = undefined;
  }

  print(text: string): void {
    this.#pending += text;
    if (this.#view === undefined && !this.#isTurning) this.#flush();
  }

  async close(): Promise<void> {
    this.#task = undefined;
    clearInterval(this.#timer);
    await this.#turn;
    await this.#closeView();
    this.#flush();
    process.off('exit', this.#onExit);
    await drained(this.#stream);
  }

  /** The program ends without having closed the screen: what was said last is what matters most. */
  readonly #onExit = (): void => {
    this.#view?.abandon();
    this.#flush();
  };

  #flush(): void {
    const text = this.#pending;
    this.#pending = '';
    if (text !== '') this.#stream.write(text);
  }

  /** Shows the task if another is shown, and writes what waited for the view to be gone. */
  #tick(): void {
    if (this.#isTurning) return;
    const task = this.#task;
    const isStale = task !== undefined && this.#view?.task !== task;
    if (!isStale && this.#pending === '') return;
    this.#isTurning = true;
    this.#turn = this.#replaceView().finally(() => {
      this.#isTurning = false;
    });
  }

  async #replaceView(): Promise<void> {
    await this.#closeView();
    this.#flush();
    if (this.#task === undefined) return;
    this.#view = new LiveView(this.#stream as NodeJS.WriteStream, this.#task, {
      styles: this.#styles,
      // What others print on the terminal stays on it, above the view.
      onForeignText: (text) => {
        this.#pending += text;
      },
      alsoShown: this.#stream === process.stdout && process.stderr.isTTY ? [process.stderr] : [],
    });
  }

  async #closeView(): Promise<void> {
    await this.#view?.close();
    this.#view = undefined;
  }
}
