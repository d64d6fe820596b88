import type { RunEvent } from '../run/events.ts';
import { paintDiff, shownDiff } from './diff.ts';
import { LiveScreen, type Screen } from './live-screen.ts';
import type { LiveHost } from './live-view.ts';
import { palette, paintStatus, type Palette, wantsColour } from './palette.ts';
import type { Report, ReportOptions, ReportStream } from './stream.ts';
import {
  count,
  duration,
  harmless,
  indent,
  isNotable,
  playTitle,
  recapText,
  type ResultEvent,
  type TaskEvent,
  taskTitle,
  warningText,
} from './text.ts';

/**
 * A live view on a terminal: the running task with its hosts at the bottom, above it what changed and what failed.
 * Tasks with nothing to tell collapse to a number.
 */
export function listrReport(stream: ReportStream, options: ReportOptions): Report {
  const styles = palette(wantsColour(stream, options.environment ?? process.env));
  return reportOn(new LiveScreen(stream, styles), options, styles, true);
}

/** The same on a screen that shows the tasks in its own way; a part of something larger has no recap. */
export function reportOn(screen: Screen, options: ReportOptions, styles: Palette, hasRecap = false): Report {
  const report = new ListrReport(screen, options, styles, hasRecap);
  return { emit: (event) => report.emit(event), close: () => report.close() };
}

type RunningHost = { -readonly [key in keyof LiveHost]: LiveHost[key] };

interface RunningTask {
  readonly event: TaskEvent;
  readonly title: string;
  readonly startedAt: number;
  readonly hosts: readonly RunningHost[];
  readonly byName: ReadonlyMap<string, RunningHost>;
  readonly results: ResultEvent[];
}

class ListrReport {
  readonly #screen: Screen;
  readonly #options: ReportOptions;
  readonly #styles: Palette;
  readonly #hasRecap: boolean;
  #task: RunningTask | undefined;
  /** Tasks of this play that had nothing to tell. */
  #quietTasks = 0;
  #playStartedAt = performance.now();

  constructor(screen: Screen, options: ReportOptions, styles: Palette, hasRecap: boolean) {
    this.#screen = screen;
    this.#options = options;
    this.#styles = styles;
    this.#hasRecap = hasRecap;
  }

  emit(event: RunEvent): void {
    switch (event.type) {
      case 'play':
        this.#endPlay();
        this.#playStartedAt = performance.now();
        this.#screen.print(
          `\n${this.#styles.strong(this.#clean(playTitle(event)))} ${this.#styles.quiet(`on ${hostList(event.hosts)}`)}\n`,
        );
        break;
      case 'task':
        this.#endTask();
        this.#startTask(event);
        break;
      case 'result':
        this.#takeResult(event);
        break;
      case 'progress': {
        const host = this.#task?.byName.get(event.host);
        if (host !== undefined && host.status === undefined) host.line = this.#oneLine(event.line);
        break;
      }
      case 'warning':
        this.#screen.print(`${this.#styles.changed(this.#clean(warningText(event)))}\n`);
        break;
      case 'recap':
        this.#endPlay();
        if (this.#hasRecap) this.#screen.print(`\n${recapText(event, this.#styles, this.#options)}\n`);
        break;
    }
  }

  async close(): Promise<void> {
    // A task that was cut short has nothing to tell, which does not mean that it had nothing to change.
    if (this.#task?.results.length === 0) this.#task = undefined;
    this.#endPlay();
    await this.#screen.close();
  }

  #startTask(event: TaskEvent): void {
    const hosts = event.hosts.map((name): RunningHost => ({ name, status: undefined, line: '' }));
    this.#task = {
      event,
      title: `${event.handler ? 'handler ' : ''}${this.#oneLine(taskTitle(event))}`,
      startedAt: performance.now(),
      hosts,
      byName: new Map(hosts.map((host) => [host.name, host])),
      results: [],
    };
    this.#screen.show(this.#task);
  }

  #takeResult(result: ResultEvent): void {
    const task = this.#task;
    if (task === undefined) {
      // A host may be lost between tasks.
      this.#screen.print(this.#resultText([result]));
      return;
    }
    if (isNotable(result) || this.#options.verbose > 0) task.results.push(result);
    const host = task.byName.get(result.host);
    if (host === undefined) return;
    const word = result.status === 'ok' ? '' : paintStatus(this.#styles, result.status)(result.status);
    if (result.item === undefined) {
      host.status = result.status;
      host.line = word;
    } else {
      // The loop goes on: there is no telling which item is the last.
      host.line = `${this.#oneLine(result.item)} ${word}`.trimEnd();
    }
  }

  #endTask(): void {
    const task = this.#task;
    if (task === undefined) return;
    this.#task = undefined;
    this.#screen.rest();
    if (task.results.length === 0) {
      this.#quietTasks++;
      return;
    }
    const worst =
      WORST_FIRST.find((status) => task.results.some((result) => result.status === status)) ?? 'ok';
    const mark = paintStatus(this.#styles, worst)(MARKS[worst]);
    const elapsed = performance.now() - task.startedAt;
    const seconds = elapsed >= 1000 ? this.#styles.quiet(`  ${duration(elapsed)}`) : '';
    this.#screen.print(`  ${mark} ${task.title}${seconds}\n${this.#resultText(task.results)}`);
  }

  #endPlay(): void {
    this.#endTask();
    if (this.#quietTasks > 0) {
      const elapsed = duration(performance.now() - this.#playStartedAt);
      const text = `${count(this.#quietTasks, 'task')} with nothing to change  ${elapsed}`;
      this.#screen.print(`  ${this.#styles.ok(MARKS.ok)} ${this.#styles.quiet(text)}\n`);
    }
    this.#quietTasks = 0;
  }

  /** Results that say the same are shown once, with all their hosts. */
  #resultText(results: readonly ResultEvent[]): string {
    const groups = new Map<
      string,
      { readonly hosts: string[]; readonly text: string; readonly lead: string }
    >();
    for (const result of results) {
      const lead = this.#lead(result);
      const text = this.#details(result);
      const host = result.delegatedTo === undefined ? result.host : `${result.host} → ${result.delegatedTo}`;
      const key = `${lead}\0${text}`;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { hosts: [host], text, lead });
      else group.hosts.push(host);
    }
    return [...groups.values()]
      .map((group) => `    ${group.lead} ${hostList(group.hosts)}\n${group.text}`)
      .join('');
  }

  #lead(result: ResultEvent): string {
    const word = this.#options.check && result.status === 'changed' ? 'would change' : result.status;
    const ignored = result.ignored ? ' (ignored)' : '';
    const item = result.item === undefined ? '' : ` ${this.#styles.quiet(`(${this.#oneLine(result.item)})`)}`;
    return `${paintStatus(this.#styles, result.status)(`${word}${ignored}`)}${item}`;
  }

  #details(result: ResultEvent): string {
    const parts: string[] = [];
    if (result.message) parts.push(this.#clean(result.message));
    if (result.output) parts.push(this.#styles.quiet(this.#clean(result.output).trimEnd()));
    if (this.#options.diff) {
      for (const diff of result.diff ?? []) {
        parts.push(
          paintDiff(
            shownDiff(diff, (text) => this.#clean(text)),
            this.#styles,
          ),
        );
      }
    }
    return parts.map((part) => `${indent(part, '      ')}\n`).join('');
  }

  #clean(text: string): string {
    return harmless(this.#options.redact(text));
  }

  #oneLine(text: string): string {
    return this.#clean(text).trim().replaceAll(/\s+/g, ' ');
  }
}

const MARKS = { ok: '✔', changed: '●', skipped: '↓', failed: '✖', unreachable: '✖' } as const;
const WORST_FIRST = ['unreachable', 'failed', 'changed', 'ok', 'skipped'] as const;

/** Names as far as a line carries them. */
function hostList(hosts: readonly string[]): string {
  const shown = hosts.slice(0, 8).join(', ');
  return hosts.length <= 8 ? shown : `${shown} and ${hosts.length - 8} more`;
}
