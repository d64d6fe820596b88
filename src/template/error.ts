import { codeFrame } from '../lib/code-frame.ts';
import { UserError, type Problem, type SourceLocation } from '../lib/errors.ts';
import { isSecretFile, withoutText } from '../lib/secret-file.ts';

/** Why a template could not be rendered: the text is wrong, a variable is missing, or an operation failed. */
export type TemplateErrorKind = 'syntax' | 'undefined' | 'runtime';

/** A template that cannot be compiled or rendered, and where in the file. */
export class TemplateError extends UserError {
  readonly kind: TemplateErrorKind;
  /** The name of the missing variable, for the kind `undefined`. */
  readonly variable: string | undefined;

  constructor(
    kind: TemplateErrorKind,
    problem: Problem | readonly Problem[],
    options: { cause?: unknown; variable?: string } = {},
  ) {
    super(problem, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'TemplateError';
    this.kind = kind;
    this.variable = options.variable;
  }
}

/** Whether an error says that a variable is not defined, so that it may become known later. */
export function isUndefinedError(error: unknown): error is TemplateError {
  return error instanceof TemplateError && error.kind === 'undefined';
}

/** A mistake at a place in a template's text; the renderer turns the offset into a location. */
export class Fault extends Error {
  readonly kind: TemplateErrorKind;
  readonly hint: string | undefined;
  readonly variable: string | undefined;
  offset: number | undefined;
  /** The text the offset counts in. */
  text: TemplateText | undefined;

  constructor(
    kind: TemplateErrorKind,
    message: string,
    options: { offset?: number; hint?: string | undefined; variable?: string; text?: TemplateText } = {},
  ) {
    super(message);
    this.kind = kind;
    this.hint = options.hint;
    this.variable = options.variable;
    this.offset = options.offset;
    this.text = options.text;
  }
}

/** A template's text and where it stands. */
export interface TemplateText {
  readonly source: string;
  readonly origin: SourceLocation | undefined;
  /** Whether the text is a file of its own, so that lines around a mistake are worth showing. */
  readonly isFile: boolean;
}

/** The place in the file of an offset in a template's text. Text after a line break starts in the origin's column. */
export function locate(text: TemplateText, offset: number): SourceLocation | undefined {
  if (!text.origin) return undefined;
  const before = text.source.slice(0, offset);
  const lines = before.split('\n');
  const last = lines.at(-1) ?? '';
  return {
    file: text.origin.file,
    line: text.origin.line + lines.length - 1,
    column: last.length + (lines.length === 1 || !text.isFile ? text.origin.column : 1),
  };
}

/** A fault as a problem to show. */
export function problemOf(fault: Fault, fallback: TemplateText): Problem {
  const text = fault.text ?? fallback;
  const offset = fault.offset ?? 0;
  const location = locate(text, offset);
  const lines = text.source.slice(0, offset).split('\n');
  const place = { line: lines.length, column: (lines.at(-1) ?? '').length + 1 };
  const isSecret = text.origin !== undefined && isSecretFile(text.origin.file);
  // A syntax error quotes what it found; the others name variables and filters.
  if (isSecret && fault.kind === 'syntax') return withoutText({ message: fault.message, location });
  return {
    message: location ? fault.message : `${fault.message} (line ${place.line}, column ${place.column})`,
    hint: fault.hint,
    location,
    frame: isSecret ? undefined : frameOf(text, place),
  };
}

const LONGEST_FRAME_LINE = 300;

function frameOf(text: TemplateText, place: { line: number; column: number }): string | undefined {
  const line = text.source.split('\n')[place.line - 1] ?? '';
  if (line.length > LONGEST_FRAME_LINE) return undefined;
  if (text.isFile) return codeFrame(text.source, { ...place, file: text.origin?.file });
  // The string's lines are not those of the file it stands in, so they have no numbers.
  return `  | ${line}\n  | ${' '.repeat(place.column - 1)}^`;
}
