import { byTime, isWanted, type LogFilter } from './filter.ts';
import type { LogLine } from './line.ts';
import { LogReader } from './read.ts';

/** Lines of several hosts, put in order. */
export class Gathered {
  readonly #filter: LogFilter;
  readonly #show: (line: LogLine) => void;
  readonly #readers: LogReader[] = [];
  #lines: LogLine[] = [];
  #before: readonly LogLine[] = [];

  constructor(filter: LogFilter, show: (line: LogLine) => void) {
    this.#filter = filter;
    this.#show = show;
  }

  reader(host: string): LogReader {
    const reader = new LogReader(host, (line) => {
      if (isWanted(line, this.#filter)) this.#lines.push(line);
    });
    this.#readers.push(reader);
    return reader;
  }

  /** Shows what has waited for one round, in order with what came since. */
  give(): void {
    for (const reader of this.#readers) reader.flush();
    const last = this.#before.reduce((at, line) => Math.max(at, line.at), -Infinity);
    const all = [...this.#before, ...this.#lines].sort(byTime);
    for (const line of all.filter(({ at }) => at <= last)) this.#show(line);
    this.#before = all.filter(({ at }) => at > last);
    this.#lines = [];
  }

  end(): void {
    for (const reader of this.#readers) reader.flush();
    for (const line of [...this.#before, ...this.#lines].sort(byTime)) this.#show(line);
    this.#before = [];
    this.#lines = [];
  }
}
