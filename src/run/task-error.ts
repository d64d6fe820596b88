import { formatProblem, UserError, type SourceLocation } from '../lib/errors.ts';

/** A task cannot be done as written, on this host: its variables, arguments or condition are wrong. */
export class TaskError extends Error {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = 'TaskError';
  }
}

/** The text for an error met while evaluating what the user wrote at `at`; a bug of ours is thrown on. */
export function explainError(error: unknown, at: SourceLocation, what: string): TaskError {
  if (error instanceof TaskError) return error;
  if (!(error instanceof UserError)) throw error;
  const located = error.problems.some((problem) => problem.location !== undefined);
  const text = error.problems.map(formatProblem).join('\n');
  return new TaskError(
    located ? `${what}: ${text}` : `${at.file}:${at.line}:${at.column}: ${what}: ${text}`,
    { cause: error },
  );
}
