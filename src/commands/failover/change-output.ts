import type { Session } from './session.ts';

/** With `--json` stdout belongs to the lines for programs. */
export function textStream(json: boolean): NodeJS.WriteStream {
  return json ? process.stderr : process.stdout;
}

/** Writes one line for programs. */
export function print(session: Session, line: unknown): void {
  process.stdout.write(`${session.redact(JSON.stringify(line))}\n`);
}
