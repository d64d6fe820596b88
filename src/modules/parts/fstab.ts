import { blankSeparated, readLines } from './edit.ts';

/** One line of an fstab, its escapes resolved. */
export interface FstabEntry {
  readonly src: string;
  readonly path: string;
  readonly fstype: string;
  readonly opts: string;
  readonly dump: string;
  readonly passno: string;
}

/** Reads a line, or undefined for a comment and what is no entry. The last two fields may be left out. */
export function parseFstabLine(line: string): FstabEntry | undefined {
  const words = blankSeparated(line);
  const comment = words.findIndex((word, index) => word.startsWith('#') && (index === 0 || index > 3));
  const fields = comment < 0 ? words : words.slice(0, comment);
  if (fields.length < 4 || fields.length > 6) return undefined;
  const [src = '', path = '', fstype = '', opts = '', dump = '0', passno = '0'] = fields.map(decode);
  return { src, path, fstype, opts, dump, passno };
}

/** Whether a line is about the same mount: the same path or, for swap, which has none, the same source. */
export function isSameMount(entry: FstabEntry, path: string, src: string | undefined): boolean {
  if (bare(entry.path) !== bare(path)) return false;
  return src === undefined || entry.path !== 'none' || entry.fstype !== 'swap' || entry.src === src;
}

/** The text with the entry in place of the first one for its path; without `entry`, such lines are left out. */
export function editFstab(
  text: string,
  wanted: { readonly path: string; readonly src?: string | undefined },
  entry: FstabEntry | undefined,
): string {
  let isDone = entry === undefined;
  const kept = readLines(text).flatMap((line) => {
    const found = parseFstabLine(line);
    if (!found || !isSameMount(found, wanted.path, wanted.src)) return [line];
    if (isDone || !entry) return [];
    isDone = true;
    return [isEqual(found, entry) ? line : format(entry)];
  });
  if (!isDone && entry) {
    if (kept.length > 0 && !kept.at(-1)?.endsWith('\n')) kept.push('\n');
    kept.push(format(entry));
  }
  return kept.join('');
}

function isEqual(one: FstabEntry, other: FstabEntry): boolean {
  return (['src', 'fstype', 'opts', 'dump', 'passno'] as const).every((name) => one[name] === other[name]);
}

function format({ src, path, fstype, opts, dump, passno }: FstabEntry): string {
  return `${[src, path, fstype, opts, dump, passno].map(encode).join(' ')}\n`;
}

function encode(field: string): string {
  return field.replaceAll(
    /[\\ &\t\n]/g,
    (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
}

function decode(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

function bare(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, '') : path;
}
