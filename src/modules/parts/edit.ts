import { posix } from 'node:path';

import { content } from '../../facts/content.ts';
import { query, type FactQuery, type FactReader } from '../../facts/fact.ts';
import { file as fileFact } from '../../facts/file.ts';
import { str } from '../kit/arguments.ts';
import type { Plan, Result } from '../../steps/plan.ts';
import type { FileAttributes, Step } from '../../steps/step.ts';
import { quote } from '../../lib/shell.ts';
import { attributeWork, fileResult, workPlan, writeWork, type FileWork } from './file-plan.ts';
import { PatternError } from '../../lib/python-pattern.ts';
import { pythonRegex } from '../../lib/python-regex.ts';

/** What modules that edit a file have in common. */
export interface EditWish {
  readonly path: string;
  readonly attributes: FileAttributes;
  readonly validate?: string | undefined;
  readonly backup?: boolean | undefined;
}

/** The text of a file, byte for byte, as latin1 characters; undefined when there is no file. */
export type EditText = string | undefined;

/** What an edit made of the text; without text, the file stays as it is. */
export type Edit =
  | { readonly text: string; readonly result: Result }
  | { readonly unchanged: true; readonly result: Result }
  | { readonly failed: string; readonly result?: Result };

/** What an edit must know: attributes and content, links followed. */
export function editFacts(path: string): FactQuery[] {
  return [query(fileFact, { path, follow: true }), query(content, path)];
}

/** Plans the edit of one file. The edit is a function of the text alone, so it is easy to test. */
export function planEdit(wish: EditWish, facts: FactReader, edit: (text: EditText) => Edit): Plan {
  const current = facts.get(query(fileFact, { path: wish.path, follow: true }));
  const found = facts.get(query(content, wish.path));
  let text: EditText;
  switch (found.kind) {
    case 'file':
      text = found.bytes.toString('latin1');
      break;
    case 'missing':
      text = undefined;
      break;
    case 'directory':
      return { kind: 'failed', message: `Path ${wish.path} is a directory !`, result: { rc: 256 } };
    case 'unreadable':
      return { kind: 'failed', message: `${wish.path} cannot be read` };
    case 'too large':
      return {
        kind: 'failed',
        message: `${wish.path} has ${found.size} bytes; files above 1 MiB are not edited`,
      };
  }
  const made = tryEdit(edit, text);
  if ('failed' in made)
    return { kind: 'failed', message: made.failed, ...(made.result ? { result: made.result } : {}) };
  const path = current.exists && current.realPath ? current.realPath : wish.path;
  const isSame = !('text' in made) || made.text === text;
  const bytes = 'text' in made ? Buffer.from(made.text, 'latin1') : undefined;
  const result = {
    path: wish.path,
    ...(current.exists || bytes ? fileResult(current, wish.attributes, bytes?.length) : {}),
    ...made.result,
  };
  if (isSame || bytes === undefined) {
    const work: FileWork | { readonly need: readonly FactQuery[] } = current.exists
      ? attributeWork(path, wish.attributes, current, facts)
      : { diffs: [], steps: [] };
    return workPlan(work, result);
  }
  const work = writeWork({ ...wish, path, content: bytes }, current, found, facts);
  if (current.exists || 'need' in work) return workPlan(work, result);
  const parent = posix.dirname(path);
  const create: Step = {
    kind: 'script',
    description: `create directory ${parent}`,
    script: `mkdir -p -- ${quote(parent)}`,
  };
  return workPlan({ ...work, steps: [create, ...work.steps] }, result);
}

function tryEdit(edit: (text: EditText) => Edit, text: EditText): Edit {
  try {
    return edit(text);
  } catch (error) {
    if (error instanceof PatternError) return { failed: error.message };
    throw error;
  }
}

/** An argument that is a regular expression, checked when it is read. */
export const pattern = str.superRefine((value, context) => {
  try {
    pythonRegex(value, { bytes: true });
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
  }
});

/** Python's `readlines`: each line with the newline that ends it. */
export function readLines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/**
 * The words of a line, parted by ASCII's blanks. In text of bytes `\s` and `trim` would cut through characters whose
 * UTF-8 form has the byte A0 (`à`), which alone is a blank to JavaScript.
 */
export function blankSeparated(line: string): string[] {
  return line.split(/[ \t\n\r\f\v]+/).filter((word) => word !== '');
}

/** A line without ASCII's blanks at both ends. */
export function trimBlanks(line: string): string {
  return line.replaceAll(/^[ \t\n\r\f\v]+|[ \t\n\r\f\v]+$/g, '');
}

/** A line without its line ending. */
export function chomp(line: string): string {
  return line.replace(/[\r\n]+$/, '');
}
