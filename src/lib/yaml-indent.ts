import { type Document, LineCounter } from 'yaml';

/** The documents of a text; an empty text has none. */
export type Documents = readonly Document.Parsed[];

/** Documents whose offsets are those of a text with further spaces at the start of some lines. */
export interface Indented {
  readonly documents: Documents;
  /** Where an offset of the documents is in the text as it was written. */
  readonly originalOffset: (offset: number) => number;
}

/** Files with more wrongly indented places than this are left as the mistakes that they look like. */
const MOST_PLACES = 400;

/**
 * PyYAML does not care how the further lines of quoted text and of bracketed lists and dictionaries are indented; the
 * library wants them deeper than their key. Here such lines are, for its eyes, and mean the same. Undefined when that
 * does not make the text right.
 */
export function parseIndented(
  text: string,
  errors: Documents,
  parse: (text: string, lines: LineCounter) => Documents,
): Indented | undefined {
  const width = deepest(text) + 2;
  const padded = new Set<number>();
  let documents = errors;
  for (let place = 0; place < MOST_PLACES; place++) {
    const [error] = documents.flatMap((one) => one.errors);
    if (!error) return { documents, originalOffset: (offset) => original(offset, padded, width) };
    const cut = original(error.pos[0], padded, width);
    const lines = linesToPad(text, cut, error.message).filter((start) => !padded.has(start));
    if (lines.length === 0) return undefined;
    for (const start of lines) padded.add(start);
    documents = parse(withSpaces(text, padded, width), new LineCounter());
  }
  return undefined;
}

function deepest(text: string): number {
  return Math.max(0, ...[...text.matchAll(/^ +/gm)].map(([spaces]) => spaces.length));
}

/** The starts of the lines after `cut` that belong to what the library took to end there. */
function linesToPad(text: string, cut: number, message: string): readonly number[] {
  const quote = /^Missing closing (["'])/.exec(message)?.[1];
  if (quote !== undefined) {
    const end = endOfQuoted(text, cut, quote);
    return end === undefined ? [] : lineStarts(text, cut, end);
  }
  if (!/^Flow (?:map|sequence) in block collection/.test(message)) return [];
  // It ended where a line of it, or its closing bracket, is not deep enough.
  const start = text.lastIndexOf('\n', cut - 1) + 1;
  return start === 0 ? [] : [start];
}

/** Where quoted text ends that goes on at `from`. */
function endOfQuoted(text: string, from: number, quote: string): number | undefined {
  const piece = quote === '"' ? /\\[^]|"/g : /''|'/g;
  piece.lastIndex = from;
  for (let match = piece.exec(text); match; match = piece.exec(text))
    if (match[0] === quote) return match.index;
  return undefined;
}

/** The starts of lines in a part of a text, but for empty lines, which have no indentation. */
function lineStarts(text: string, from: number, to: number): readonly number[] {
  const starts: number[] = [];
  for (let at = text.indexOf('\n', from); at >= 0 && at < to; at = text.indexOf('\n', at + 1)) {
    const isEmpty = /^[ \t\r]*(?:\n|$)/.test(text.slice(at + 1, at + 400));
    if (!isEmpty) starts.push(at + 1);
  }
  return starts;
}

function withSpaces(text: string, starts: ReadonlySet<number>, width: number): string {
  let result = '';
  let done = 0;
  for (const start of sorted(starts)) {
    result += text.slice(done, start) + ' '.repeat(width);
    done = start;
  }
  return result + text.slice(done);
}

function original(offset: number, starts: ReadonlySet<number>, width: number): number {
  let added = 0;
  for (const start of sorted(starts)) {
    if (start + added > offset) break;
    added += Math.min(width, offset - start - added);
  }
  return offset - added;
}

function sorted(starts: ReadonlySet<number>): readonly number[] {
  return [...starts].sort((one, other) => one - other);
}
