/** A place in a file the user wrote. Lines and columns count from 1. */
export interface SourceLocation {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One thing that is wrong with the user's input, and where. */
export interface Problem {
  readonly message: string;
  /** What to do about it, when that is not obvious from the message. */
  readonly hint?: string | undefined;
  readonly location?: SourceLocation | undefined;
  /** The lines around the location, with a caret; made by whoever has the source text. */
  readonly frame?: string | undefined;
}

/** Exit codes of both programs. They are part of the interface: see docs/exit-codes.md. */
export const EXIT = {
  ok: 0,
  usage: 1,
  failed: 2,
  drift: 3,
  unreachable: 4,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/**
 * A mistake of the user's, or of the world they pointed us at: printed without a stack trace.
 * Every other error is a bug, and is printed with its stack and causes.
 */
export class UserError extends Error {
  readonly problems: readonly Problem[];
  readonly exitCode: ExitCode;

  constructor(
    problems: string | Problem | readonly Problem[],
    options: { cause?: unknown; exitCode?: ExitCode } = {},
  ) {
    const list: readonly Problem[] =
      typeof problems === 'string' ? [{ message: problems }] : 'message' in problems ? [problems] : problems;
    super(list.map(formatProblem).join('\n'), options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'UserError';
    this.problems = list;
    this.exitCode = options.exitCode ?? EXIT.usage;
  }
}

/** One problem as text: `file:line:column: message`, then the code frame, then the hint. */
export function formatProblem(problem: Problem): string {
  const { location } = problem;
  const where = location ? `${location.file}:${location.line}:${location.column}: ` : '';
  const lines = [`${where}${problem.message}`];
  if (problem.frame) lines.push(problem.frame);
  if (problem.hint) lines.push(`  hint: ${problem.hint}`);
  return lines.join('\n');
}

/** Stops the compiler when a union gained a member that a switch forgot. */
export function unreachable(value: never): never {
  throw new Error(`unexpected variant: ${JSON.stringify(value)}`);
}
