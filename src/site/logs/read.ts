import { LOG_FILES, type FileEntry, micros } from './files.ts';
import type { LogLine } from './line.ts';

/** A line of an entry over many lines is cut off after this: a dump is read on its host. */
const MOST_LINES = 50;

interface Open {
  readonly entry: FileEntry & { readonly at: number };
  readonly lines: string[];
  readonly number: number;
  readonly host: string;
}

/** Reads what the script of `logScript` prints on one host, as it comes. */
export class LogReader {
  readonly #host: string;
  readonly #take: (line: LogLine) => void;
  #rest = '';
  #zone = '+00:00';
  readonly #decoder = new TextDecoder();
  /** By file and host: the entry that may go on. */
  readonly #open = new Map<string, Open>();

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
    for (const key of this.#open.keys()) this.#close(key);
  }

  #line(line: string): void {
    const [mark = ''] = line.split(' ', 1);
    const rest = line.slice(mark.length + 1);
    if (mark === 'Z') this.#zone = rest;
    else if (mark === 'J') this.#journal(rest);
    else if (mark === 'A') this.#archived(rest);
    else if (/^\d+$/.test(mark)) this.#file(Number(mark), rest);
  }

  #journal(text: string): void {
    let entry: Readonly<Record<string, unknown>>;
    try {
      entry = JSON.parse(text) as Readonly<Record<string, unknown>>;
    } catch {
      return;
    }
    const priority = Number(textOf(entry['PRIORITY']) || Number.NaN);
    this.#take({
      host: this.#host,
      at: Number(textOf(entry['__REALTIME_TIMESTAMP'])),
      unit: unitName(textOf(entry['_SYSTEMD_UNIT']), textOf(entry['SYSLOG_IDENTIFIER'])),
      priority: Number.isNaN(priority) ? undefined : priority,
      message: textOf(entry['MESSAGE']),
    });
  }

  /** An entry as the role `logs` keeps it: one of a journal, or a line of a file. */
  #archived(text: string): void {
    let entry: Readonly<Record<string, unknown>>;
    try {
      entry = JSON.parse(text) as Readonly<Record<string, unknown>>;
    } catch {
      return;
    }
    const host = textOf(entry['host']);
    const at = textOf(entry['at']);
    const message = textOf(entry['message']);
    const file = LOG_FILES.findIndex(({ path }) => path === entry['file']);
    if (file >= 0) {
      this.#zone = /[+-]\d\d:\d\d$/.exec(at)?.[0] ?? '+00:00';
      this.#file(file, message, host);
      return;
    }
    const priority = Number(entry['priority'] ?? Number.NaN);
    this.#take({
      host,
      at: micros(at),
      unit: unitName(textOf(entry['unit']), textOf(entry['program'])) || textOf(entry['file']),
      priority: Number.isNaN(priority) ? undefined : priority,
      message,
    });
  }

  #file(number: number, line: string, host = this.#host): void {
    const key = `${number} ${host}`;
    const entry = LOG_FILES[number]?.entry(line, this.#zone);
    const open = this.#open.get(key);
    // MariaDB's slow log begins an entry with its time, or without.
    const goesOn = entry !== undefined && entry.at === undefined && open?.lines.length === 0;
    if (entry === undefined || goesOn) {
      if (open && open.lines.length < MOST_LINES) open.lines.push(line);
      return;
    }
    const at = entry.at ?? open?.entry.at;
    this.#close(key);
    if (at !== undefined) this.#open.set(key, { entry: { ...entry, at }, lines: [], number, host });
  }

  #close(key: string): void {
    const open = this.#open.get(key);
    const file = LOG_FILES[open?.number ?? -1];
    if (!open || !file) return;
    this.#open.delete(key);
    const { at, priority, message } = open.entry;
    this.#take({
      host: open.host,
      at,
      unit: file.unit,
      priority,
      message: [message, ...open.lines].join('\n'),
    });
  }
}

/** What runs outside of a service's unit says more by its own name: `sudo`, `kernel`. */
function unitName(systemd: string, program: string): string {
  const unit = systemd.replace(/\.service$/, '');
  return /\.(?:scope|slice)$|^$|^init$/.test(unit) ? program || unit : unit;
}

/** journald writes what is no UTF-8 as a list of bytes, and a field that is there twice as a list of texts. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return '';
  if (value.every((one) => typeof one === 'number')) return Buffer.from(value).toString('utf8');
  return value.map(textOf).join(' ');
}
