import { formatProblem, UserError, type SourceLocation } from '../lib/errors.ts';

/** A task cannot be done as written, on this host: its variables, arguments or condition are wrong. */
export class TaskError extends Error {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = 'TaskError';
  }
}

/** The arguments do not fit the module. The module would say so itself: the task's keywords judge that as its result. */
export class ArgumentError extends TaskError {}

/** The text for an error met while evaluating what the user wrote at `at`; a bug of ours is thrown on. */
export function explainError(error: unknown, at: SourceLocation, what: string): TaskError {
  if (error instanceof TaskError) return error;
  if (isSystemError(error))
    return new TaskError(`${at.file}:${at.line}:${at.column}: ${what}: ${error.message}`, { cause: error });
  if (!(error instanceof UserError)) throw error;
  const located = error.problems.some((problem) => problem.location !== undefined);
  const text = error.problems.map(formatProblem).join('\n');
  return new TaskError(
    located ? `${what}: ${text}` : `${at.file}:${at.line}:${at.column}: ${what}: ${text}`,
    { cause: error },
  );
}

/** Of the operating system or the network, such as a file that may not be read: no bug of ours. */
export function isSystemError(error: unknown): error is Error {
  return (
    error instanceof Error && typeof (error as NodeJS.ErrnoException).code === 'string' && 'syscall' in error
  );
}
