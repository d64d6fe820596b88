import { LOG_FILES, type FileEntry } from './files.ts';
import type { LogLine } from './line.ts';

/** A line of an entry over many lines is cut off after this: a dump is read on its host. */
const MOST_LINES = 50;

interface Open {
  readonly entry: FileEntry & { readonly at: number };
  readonly lines: string[];
}

/** Reads what the script of `logScript` prints on one host, as it comes. */
export class LogReader {
  readonly #host: string;
  readonly #take: (line: LogLine) => void;
  #rest = '';
  #zone = '+00:00';
  readonly #decoder = new TextDecoder();
  /** By the number of its file: the entry that may go on. */
  readonly #open = new Map<number, Open>();

  constructor(host: string, take: (line: LogLine) => void) {
    this.#host = host;
    this.#take = take;
  }

  push(chunk: Buffer): void {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#line(line);
  }

  /** Gives the entries that might have gone on: after a pause, and at the end. */
  flush(): void {
    for (const number of this.#open.keys()) this.#close(number);
  }

  #line(line: string): void {
    const [mark = ''] = line.split(' ', 1);
    const rest = line.slice(mark.length + 1);
    if (mark === 'Z') this.#zone = rest;
    else if (mark === 'J') this.#journal(rest);
    else if (/^\d+$/.test(mark)) this.#file(Number(mark), rest);
  }

  #journal(text: string): void {
    let entry: Readonly<Record<string, unknown>>;
    try {
      entry = JSON.parse(text) as Readonly<Record<string, unknown>>;
    } catch {
      return;
    }
    const unit = textOf(entry['_SYSTEMD_UNIT']).replace(/\.service$/, '');
    const priority = Number(textOf(entry['PRIORITY']) || Number.NaN);
    this.#take({
      host: this.#host,
      at: Number(textOf(entry['__REALTIME_TIMESTAMP'])),
      // What runs outside of a service's unit says more by its own name: `sudo`, `kernel`.
      unit: /\.(?:scope|slice)$|^$|^init$/.test(unit) ? textOf(entry['SYSLOG_IDENTIFIER']) || unit : unit,
      priority: Number.isNaN(priority) ? undefined : priority,
      message: textOf(entry['MESSAGE']),
    });
  }

  #file(number: number, line: string): void {
    const entry = LOG_FILES[number]?.entry(line, this.#zone);
    const open = this.#open.get(number);
    // MariaDB's slow log begins an entry with its time, or without.
    const goesOn = entry !== undefined && entry.at === undefined && open?.lines.length === 0;
    if (entry === undefined || goesOn) {
      if (open && open.lines.length < MOST_LINES) open.lines.push(line);
      return;
    }
    const at = entry.at ?? open?.entry.at;
    this.#close(number);
    if (at !== undefined) this.#open.set(number, { entry: { ...entry, at }, lines: [] });
  }

  #close(number: number): void {
    const open = this.#open.get(number);
    const file = LOG_FILES[number];
    if (!open || !file) return;
    this.#open.delete(number);
    const { at, priority, message } = open.entry;
    this.#take({
      host: this.#host,
      at,
      unit: file.unit,
      priority,
      message: [message, ...open.lines].join('\n'),
    });
  }
}

/** journald writes what is no UTF-8 as a list of bytes, and a field that is there twice as a list of texts. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return '';
  if (value.every((one) => typeof one === 'number')) return Buffer.from(value).toString('utf8');
  return value.map(textOf).join(' ');
}
