import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff';

import type { Diff } from '../steps/plan.ts';
import type { Palette } from './palette.ts';

/** Beyond this many added and removed lines a diff is no help to a reader, and comparing takes its time. */
const MAX_EDITS = 2000;

/** A unified diff of one changed thing. Content that is no text, or differs too much, is summarised. */
export function diffText(diff: Diff): string {
  const header = `--- before: ${diff.subject}\n+++ after: ${diff.subject}\n`;
  if (diff.before === diff.after) return '';
  if (isBinary(diff.before) || isBinary(diff.after)) {
    return `${header}Binary content differs: ${bytes(diff.before)} before, ${bytes(diff.after)} after\n`;
  }
  const [before, after] = comparable(diff);
  const patch = createTwoFilesPatch(
    `before: ${diff.subject}`,
    `after: ${diff.subject}`,
    before,
    after,
    '',
    '',
    {
      context: 3,
      maxEditLength: MAX_EDITS,
      headerOptions: FILE_HEADERS_ONLY,
    },
  );
  if (patch === undefined) {
    return `${header}Too different to compare: ${size(diff.before)} before, ${size(diff.after)} after\n`;
  }
  // A header's timestamp column is empty here; its tab would only be noise.
  return patch.replace(/^((?:---|\+\+\+) .*)\t$/gm, '$1');
}

/** A diff as a reader may see it: both sides are cleaned of secrets before they are compared. No newline at the end. */
export function shownDiff(diff: Diff, clean: (text: string) => string): string {
  const text = diffText({
    subject: clean(diff.subject),
    before: isBinary(diff.before) ? diff.before : clean(diff.before),
    after: isBinary(diff.after) ? diff.after : clean(diff.after),
  });
  if (text === '') return `${clean(diff.subject)}: differs only in what is not shown`;
  return text.replace(/\n+$/, '');
}

/** The same with colours, as `git diff` has them. */
export function paintDiff(text: string, styles: Palette): string {
  return text
    .split('\n')
    .map((line) => {
      if (line.startsWith('--- ') || line.startsWith('+++ ')) return styles.strong(line);
      if (line.startsWith('@@')) return styles.place(line);
      if (line.startsWith('+')) return styles.added(line);
      if (line.startsWith('-')) return styles.removed(line);
      if (line.startsWith('\\')) return styles.quiet(line);
      return line;
    })
    .join('\n');
}

/**
 * The end of the last line counts only where it can tell something: in a file. What else changed
 * ("package nginx": absent, 1.22) is compared as if it ended properly.
 */
function comparable(diff: Diff): readonly [string, string] {
  if (diff.subject.startsWith('/')) return [diff.before, diff.after];
  return [complete(diff.before), complete(diff.after)];
}

function complete(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

/** NUL, or the mark that decoding put where bytes were no UTF-8. */
function isBinary(text: string): boolean {
  return text.includes('\0') || text.includes('\uFFFD');
}

function bytes(text: string): string {
  return `${Buffer.byteLength(text)} bytes`;
}

function size(text: string): string {
  return `${text === '' ? 0 : complete(text).split('\n').length - 1} lines`;
}
