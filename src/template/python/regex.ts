import { PatternError, type PatternOptions } from '../../lib/python-pattern.ts';
import { pythonRegex, type PythonRegex } from '../../lib/python-regex.ts';
import { typeFault, type Data } from './objects.ts';

/** What goes wrong with a pattern in a template is an error of the template. */
export function asFault<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof PatternError) throw typeFault(error.message);
    throw error;
  }
}

/** A pattern for text. */
export function textRegex(pattern: string, options: PatternOptions): PythonRegex {
  return asFault(() => pythonRegex(pattern, options));
}

/** Whether an argument asks for a flag. */
export function flag(value: Data | undefined): boolean {
  return value !== undefined && value !== null && value !== false && value !== 0 && value !== '';
}
