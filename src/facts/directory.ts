import { quote } from '../lib/shell.ts';
import type { FactKind } from './fact.ts';
import type { FileStat, FileType } from './file.ts';
import { FieldReader, subshell } from './script.ts';

export interface DirectoryKey {
  readonly path: string;
  /** How many levels below the directory; undefined is all. */
  readonly depth?: number | undefined;
  /** Look at what symbolic links point to, and go into those that are directories. */
  readonly follow?: boolean | undefined;
}

export interface DirectoryEntry extends FileStat {
  /** Relative to the directory. */
  readonly path: string;
  readonly target?: string | undefined;
}

export type DirectoryFact =
  | { readonly exists: true; readonly entries: readonly DirectoryEntry[] }
  | { readonly exists: false; readonly reason: 'missing' | 'not a directory' };

const FORMAT = String.raw`%y %m %U %G %s %A@ %T@ %C@ %i %D %n\0%u:%g\0%P\0%l\0`;

const TYPES: Readonly<Record<string, FileType>> = {
  f: 'file',
  d: 'directory',
  l: 'link',
  p: 'fifo',
  s: 'socket',
  b: 'block',
  c: 'char',
};

/** Everything below a directory, in the order of its path. */
export const directory: FactKind<DirectoryKey, DirectoryFact> = {
  name: 'directory',
  scope: 'host',
  id: (key) =>
    `${key.path}${key.depth === undefined ? '' : ` to depth ${key.depth}`}${key.follow ? ' followed' : ''}`,
  script: (keys) =>
    subshell(
      keys.flatMap((key) => {
        // A path that looks like an option is not taken for one, and a link to a directory is entered.
        const start = quote(`${key.path.startsWith('-') ? './' : ''}${key.path}/`);
        const depth = key.depth === undefined ? '' : ` -maxdepth ${key.depth}`;
        return [
          `if [ -d ${start} ]; then printf 'directory\\0'`,
          `find ${key.follow ? '-L ' : ''}${start} -mindepth 1${depth} -printf '${FORMAT}' 2>/dev/null`,
          `elif [ -e ${quote(key.path)} ]; then printf 'other\\0'; else printf 'missing\\0'; fi; printf '\\0'`,
        ];
      }),
    ),
  parse(stdout, keys) {
    const reader = new FieldReader('directory', stdout);
    return keys.map((): DirectoryFact => {
      const kind = reader.next();
      if (kind !== 'directory') {
        reader.next();
        return { exists: false, reason: kind === 'missing' ? 'missing' : 'not a directory' };
      }
      const entries: DirectoryEntry[] = [];
      for (let line = reader.next(); line !== ''; line = reader.next()) {
        entries.push(parseEntry(line, reader.next(), reader.next(), reader.next()));
      }
      entries.sort((a, b) => (a.path < b.path ? -1 : 1));
      return { exists: true, entries };
    });
  },
};

function parseEntry(line: string, owners: string, path: string, target: string): DirectoryEntry {
  const [owner = '', group = ''] = owners.split(':');
  const [type = '', mode = '', uid, gid, size, atime, mtime, ctime, inode, device, links] = line.split(' ');
  return {
    path,
    type: TYPES[type] ?? 'link',
    mode: Number.parseInt(mode, 8),
    uid: Number(uid),
    gid: Number(gid),
    owner,
    group,
    size: Number(size),
    atime: Number(atime),
    mtime: Number(mtime),
    ctime: Number(ctime),
    inode: Number(inode),
    device: Number(device),
    links: Number(links),
    ...(target === '' ? {} : { target }),
  };
}
