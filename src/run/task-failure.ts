import { UserError, type SourceLocation } from '../lib/errors.ts';
import { TransportError } from '../transport/transport.ts';
import { failedResult, type ItemResult } from './result.ts';
import { explainError, isSystemError, TaskError } from './task-error.ts';

/**
 * What an error becomes that was met while a task was done on one host: that task's failure there, whatever it is, so
 * that the other hosts go on. What ends more than a task is thrown on: a lost host, and Ctrl-C.
 */
export function failureBy(error: unknown, at: SourceLocation, what: string): ItemResult {
  if (error instanceof TransportError || isAbort(error)) throw error;
  if (error instanceof TaskError || error instanceof UserError || isSystemError(error))
    return failedResult(explainError(error, at, what).message);
  const message = error instanceof Error ? error.message : String(error);
  const trace = error instanceof Error ? (error.stack ?? message) : message;
  return failedResult(
    `${at.file}:${at.line}:${at.column}: ${what}: ${message} (this is a bug in understudy; please report it)`,
    { exception: trace },
    trace,
  );
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
