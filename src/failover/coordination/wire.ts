import type { Readable } from 'node:stream';

import { formatProblem, UserError, type Problem } from '../../lib/errors.ts';

export type Reply =
  | { readonly id: number; readonly value?: unknown }
  | { readonly id: number; readonly problems: readonly Problem[] };

/**
 * The operator's side sends a message at least this often, in milliseconds; after `SILENCE_MS` without one the keeper
 * releases the lock.
 */
export const PING_MS = 1000;
export const SILENCE_MS = 5000;

/** A memory as text that does not depend on the order of its keys. */
export function memoryText(memory: unknown): string {
  return JSON.stringify(memory, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
      : value,
  );
}

/** Calls `take` with each JSON object that arrives. Anything else ends the reading with a `UserError`. */
export function readObjects(
  input: Readable,
  take: (value: unknown) => void,
  end: (error?: Error) => void,
): void {
  let rest = '';
  let ended = false;
  const finish = (error?: Error): void => {
    if (!ended) end(error);
    ended = true;
  };
  input.setEncoding('utf8');
  input.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (ended || line === '') continue;
      let value: unknown;
      try {
        value = JSON.parse(line);
      } catch {
        finish(new UserError(`something else answers: ${line.slice(0, 200)}`));
        return;
      }
      take(value);
    }
  });
  input.on('error', finish);
  input.on('close', () => finish());
  input.on('end', () => finish());
}

/** An error as it is sent: a `UserError` keeps its hint, a bug keeps its message. */
export function problemsOf(error: unknown): readonly Problem[] {
  if (error instanceof UserError) return error.problems.map(({ message, hint }) => ({ message, hint }));
  return [{ message: error instanceof Error ? error.message : formatProblem({ message: String(error) }) }];
}
