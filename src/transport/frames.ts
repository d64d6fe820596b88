import { randomBytes } from 'node:crypto';
import { quote } from '../lib/shell.ts';

/** Starts every marker. A control character that text does not have makes the search for a cut marker short. */
const START = 0x1e;
const NEWLINE = 0x0a;

/** A boundary that no output can contain by chance or by intent: made anew for every script. */
export function newNonce(): string {
  return randomBytes(16).toString('hex');
}

/** The sh command that prints a marker. `value` is sh text that expands to one word. */
export function printMarker(nonce: string, kind: string, value = ''): string {
  return value === '' ? `printf '\\036${nonce}${kind}\\n'` : `printf '\\036${nonce}${kind}%s\\n' ${value}`;
}

export interface MarkerHandlers {
  readonly onData: (data: Buffer) => void;
  readonly onMarker: (kind: string, value: string) => void;
}

/**
 * Splits a stream into data and markers, wherever the chunks were cut. Markers may stand in the middle of a line:
 * output need not end in a newline.
 */
export function scanMarkers(nonce: string, handlers: MarkerHandlers): (chunk: Buffer) => void {
  const prefix = Buffer.from(`\u001e${nonce}`);
  let held: Buffer | undefined;
  return (chunk) => {
    let rest = held ? Buffer.concat([held, chunk]) : chunk;
    held = undefined;
    while (rest.length > 0) {
      const at = rest.indexOf(prefix);
      if (at === -1) {
        const tail = cutPrefix(rest, prefix);
        if (tail > 0) held = Buffer.from(rest.subarray(rest.length - tail));
        if (tail < rest.length) handlers.onData(rest.subarray(0, rest.length - tail));
        return;
      }
      if (at > 0) handlers.onData(rest.subarray(0, at));
      const end = rest.indexOf(NEWLINE, at);
      if (end === -1) {
        held = Buffer.from(rest.subarray(at));
        return;
      }
      const body = rest.toString('latin1', at + prefix.length, end);
      handlers.onMarker(body.slice(0, 1), body.slice(1));
      rest = rest.subarray(end + 1);
    }
  };
}

/** Drops all up to the first marker, and gives what stands behind it in the same chunk. */
export function untilMarker(nonce: string, found: (rest: Buffer) => void): (chunk: Buffer) => void {
  const prefix = Buffer.from(`\u001e${nonce}`);
  let seen = Buffer.alloc(0);
  return (chunk) => {
    seen = Buffer.concat([seen, chunk]);
    const at = seen.indexOf(prefix);
    const end = at === -1 ? -1 : seen.indexOf(NEWLINE, at);
    if (end !== -1) found(seen.subarray(end + 1));
  };
}

/** How many bytes at the end of `data` may be the beginning of a marker. */
function cutPrefix(data: Buffer, prefix: Buffer): number {
  const from = Math.max(0, data.length - prefix.length + 1);
  for (let at = data.indexOf(START, from); at !== -1; at = data.indexOf(START, at + 1)) {
    const length = data.length - at;
    if (data.compare(prefix, 0, length, at) === 0) return length;
  }
  return 0;
}

export interface ScriptFrame {
  readonly nonce: string;
  readonly script: string;
  readonly stdin?: Buffer | undefined;
  /** A command that runs beside the script, in the background, and is ended with it. */
  readonly watchdog?: string | undefined;
}

/**
 * What the long-lived shell is sent for one script. The script is one quoted word given to `eval` in a subshell: no
 * file, no here-document, nothing in an argument list, and a syntax error, `exit` or `cd` stays within.
 * Stdin data is quoted likewise, in base64 only when a NUL byte makes that necessary.
 * File descriptor 3 is the real stderr: what the long-lived shell itself has to say is dropped.
 */
export function encodeScript(frame: ScriptFrame): Buffer {
  const { nonce, script, stdin, watchdog } = frame;
  if (script.includes('\0')) throw new RangeError('a script cannot contain a NUL byte');
  const parts: (string | Buffer)[] = [];
  if (watchdog !== undefined) parts.push(`( ${watchdog} ) </dev/null >/dev/null 3>&- & __w=$!; `);
  if (stdin !== undefined) parts.push(...feed(stdin));
  parts.push(`( eval ${quote(script)} )${stdin === undefined ? ' </dev/null' : ''} 2>&3 3>&-; __s=$?; `);
  if (watchdog !== undefined) parts.push('kill $__w; ');
  parts.push(`${printMarker(nonce, 'e', '$__s')}; ${printMarker(nonce, 'e')} >&3\n`);
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
}

function feed(stdin: Buffer): (string | Buffer)[] {
  if (stdin.includes(0)) return [`printf %s ${stdin.toString('base64')} | base64 -d | `];
  const quoted = stdin.toString('latin1').replaceAll("'", `'\\''`);
  return ["printf %s '", Buffer.from(quoted, 'latin1'), "' | "];
}
