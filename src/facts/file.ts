import type { FactKind } from './fact.ts';
import { chunks, FieldReader, positional, subshell } from './script.ts';

export type ChecksumAlgorithm = 'md5' | 'sha1' | 'sha224' | 'sha256' | 'sha384' | 'sha512';

export interface FileKey {
  readonly path: string;
  /** Look at what a symbolic link points to instead of the link. */
  readonly follow?: boolean | undefined;
  /** Also read the content's digest, where there is a regular file in the end. */
  readonly checksum?: ChecksumAlgorithm | undefined;
}

export type FileType = 'file' | 'directory' | 'link' | 'fifo' | 'socket' | 'block' | 'char';

/** What the system keeps of a file. */
export interface FileStat {
  readonly type: FileType;
  /** The permission bits: 0o7777 at most. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** `UNKNOWN` when nobody has the uid. */
  readonly owner: string;
  readonly group: string;
  readonly size: number;
  /** Seconds since 1970, with a fraction. */
  readonly atime: number;
  readonly mtime: number;
  readonly ctime: number;
  readonly inode: number;
  readonly device: number;
  readonly links: number;
}

export interface ExistingFile extends FileStat {
  readonly exists: true;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly executable: boolean;
  /** Where the path is a symbolic link: what is written in it, and where it leads in the end. */
  readonly target?: string | undefined;
  readonly realPath?: string | undefined;
  readonly checksum?: string | undefined;
}

export type FileFact = { readonly exists: false } | ExistingFile;

/** Names may hold blanks (`domain users`), but never the colon that parts the fields of passwd and group. */
const STAT_FORMAT = '%U:%G:%f %h %u %g %s %i %d|%x|%y|%z';

/** The bits of a mode that say what a file is; those for setuid, setgid and sticky stand right below them. */
const TYPE_BITS = 0o170000;

const TYPES: Readonly<Record<number, FileType>> = {
  0o010000: 'fifo',
  0o020000: 'char',
  0o040000: 'directory',
  0o060000: 'block',
  0o100000: 'file',
  0o120000: 'link',
  0o140000: 'socket',
};

/** Names that digest programs print escaped, or over several lines. They are read one by one. */
function isAwkward(path: string): boolean {
  return /[\n\r\\]/.test(path);
}

/** What is at a path: type, owner, mode, times, and the digest when asked for. */
export const file: FactKind<FileKey, FileFact> = {
  name: 'file',
  scope: 'host',
  id: (key) => `${key.path}${key.follow ? ' followed' : ''}${key.checksum ? ` with ${key.checksum}` : ''}`,
  script: (keys) =>
    subshell([
      'export TZ=UTC0',
      // What is there: builtins only, so missing paths cost nothing.
      'look() {',
      'f=',
      'if [ -L "$1" ]; then f=l; fi',
      'if [ -e "$1" ]; then f="${f}e"; if [ -f "$1" ]; then f="${f}f"; fi; if [ -r "$1" ]; then f="${f}r"; fi',
      'if [ -w "$1" ]; then f="${f}w"; fi; if [ -x "$1" ]; then f="${f}x"; fi; fi',
      `printf '%s\\0' "$f"`,
      '}',
      // All in one process; one by one when a file vanished in between.
      `stats() { o=$1; shift; stat $o -c '${STAT_FORMAT}' -- "$@" 2>/dev/null; }`,
      'all() { o=$1; shift; if r=$(stats "$o" "$@"); then printf \'%s\\0\' "$r"; else',
      'for p do stats "$o" "$p" || echo gone; done; printf \'\\0\'; fi; }',
      'sums() { s=$1; shift; if r=$("$s" -- "$@" 2>/dev/null); then printf \'%s\\0\' "$r"; else',
      'for p do "$s" < "$p" 2>/dev/null || echo gone; done; printf \'\\0\'; fi; }',
      ...chunks(keys).flatMap(chunkScript),
    ]),
  parse(stdout, keys) {
    const reader = new FieldReader('file', stdout);
    return chunks(keys).flatMap((chunk) => parseChunk(reader, chunk));
  },
};

function chunkScript(keys: readonly FileKey[]): string[] {
  const lines =
    keys.length === 0 ? [] : [positional(keys.map((key) => key.path)), 'for p do look "$p"; done'];
  for (const follow of [false, true]) {
    const paths = keys.filter((key) => Boolean(key.follow) === follow).map((key) => key.path);
    if (paths.length === 0) continue;
    const test = follow ? '[ -e "$p" ]' : '[ -e "$p" ] || [ -L "$p" ]';
    lines.push(positional(paths), ...keep(test));
    lines.push(`if [ $# -gt 0 ]; then all '${follow ? '-L' : ''}' "$@"; else printf '\\0'; fi`);
  }
  lines.push(positional(keys.map((key) => key.path)), ...keep('[ -L "$p" ]'));
  lines.push(
    `for p do readlink -n -- "$p"; printf '\\0'; readlink -f -- "$p" || echo; printf '\\0'; done 2>/dev/null`,
  );
  for (const [algorithm, paths] of digests(keys)) {
    const plain = paths.filter((path) => !isAwkward(path));
    if (plain.length > 0) {
      lines.push(positional(plain), ...keep('[ -f "$p" ] && [ -r "$p" ]'));
      lines.push(`if [ $# -gt 0 ]; then sums ${algorithm}sum "$@"; else printf '\\0'; fi`);
    }
    const awkward = paths.filter(isAwkward);
    if (awkward.length > 0) {
      lines.push(positional(awkward), ...keep('[ -f "$p" ] && [ -r "$p" ]'));
      lines.push(`for p do ${algorithm}sum < "$p" 2>/dev/null || echo gone; done; printf '\\0'`);
    }
  }
  return lines;
}

/** Leaves those positional parameters that pass a test on `$p`. */
function keep(test: string): string[] {
  return [
    'n=$#',
    `while [ "$n" -gt 0 ]; do p=$1; shift; n=$((n - 1)); if ${test}; then set -- "$@" "$p"; fi; done`,
  ];
}

function digests(keys: readonly FileKey[]): [ChecksumAlgorithm, string[]][] {
  const groups = new Map<ChecksumAlgorithm, string[]>();
  for (const key of keys) {
    if (key.checksum) groups.set(key.checksum, [...(groups.get(key.checksum) ?? []), key.path]);
  }
  return [...groups];
}

function parseChunk(reader: FieldReader, keys: readonly FileKey[]): FileFact[] {
  const flags = keys.map(() => reader.next());
  const stats = new Map<FileKey, string>();
  for (const follow of [false, true]) {
    const group = keys.flatMap((key, index) =>
      Boolean(key.follow) === follow ? [{ key, flags: flags[index] ?? '' }] : [],
    );
    if (group.length === 0) continue;
    const present = group.filter((item) => (follow ? item.flags.includes('e') : item.flags !== ''));
    const lines = reader.lines();
    present.forEach((item, index) => stats.set(item.key, lines[index] ?? 'gone'));
  }
  const links = new Map<FileKey, { target: string; realPath: string }>();
  keys.forEach((key, index) => {
    if (!flags[index]?.includes('l')) return;
    const target = reader.next();
    links.set(key, { target, realPath: reader.next().replace(/\n$/, '') });
  });
  const checksums = parseDigests(reader, keys, flags);
  return keys.map((key, index): FileFact => {
    const stat = stats.get(key);
    if (stat === undefined || stat === 'gone') return { exists: false };
    const access = flags[index] ?? '';
    const link = links.get(key);
    return {
      exists: true,
      ...parseStat(stat),
      readable: access.includes('r'),
      writable: access.includes('w'),
      executable: access.includes('x'),
      ...(link ? { target: link.target, ...(link.realPath ? { realPath: link.realPath } : {}) } : {}),
      ...(key.checksum ? { checksum: checksums.get(key) } : {}),
    };
  });
}

function parseDigests(
  reader: FieldReader,
  keys: readonly FileKey[],
  flags: readonly string[],
): Map<FileKey, string> {
  const result = new Map<FileKey, string>();
  for (const [algorithm] of digests(keys)) {
    const group = keys.flatMap((key, index) =>
      key.checksum === algorithm ? [{ key, flags: flags[index] ?? '' }] : [],
    );
    for (const awkward of [false, true]) {
      const part = group.filter((item) => isAwkward(item.key.path) === awkward);
      if (part.length === 0) continue;
      const lines = reader.lines();
      part
        .filter((item) => item.flags.includes('f') && item.flags.includes('r'))
        .forEach((item, index) => {
          const digest = /^\\?([0-9a-f]{32,})\b/.exec(lines[index] ?? '')?.[1];
          if (digest) result.set(item.key, digest);
        });
    }
  }
  return result;
}

function parseStat(line: string) {
  const [owner = '', group = ''] = line.split(':', 2);
  const [numbers = '', atime = '', mtime = '', ctime = ''] = line
    .slice(owner.length + group.length + 2)
    .split('|');
  const [raw = '', links, uid, gid, size, inode, device] = numbers.split(' ');
  const bits = Number.parseInt(raw, 16);
  const type = TYPES[bits & TYPE_BITS];
  if (!type)
    throw new Error(`the file fact script printed the mode ${JSON.stringify(raw)}, which is of no type`);
  return {
    type,
    mode: bits & 0o7777,
    links: Number(links),
    uid: Number(uid),
    gid: Number(gid),
    size: Number(size),
    inode: Number(inode),
    device: Number(device),
    owner,
    group,
    atime: parseTime(atime),
    mtime: parseTime(mtime),
    ctime: parseTime(ctime),
  };
}

/** `2026-11-23 02:53:03.123456789 +0000` as seconds with a fraction. */
function parseTime(text: string): number {
  const match = /^(\d+-\d+-\d+) (\d+:\d+:\d+)(\.\d+)?/.exec(text);
  if (!match) return 0;
  return Date.parse(`${match[1]}T${match[2]}Z`) / 1000 + Number(match[3] ?? 0);
}
