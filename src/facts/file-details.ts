import { quote } from '../lib/shell.ts';
import type { FactKind } from './fact.ts';
import { FieldReader, subshell } from './script.ts';

export interface FileDetailsKey {
  readonly path: string;
  /** Look at what a symbolic link points to instead of the link. */
  readonly follow: boolean;
}

/** What only stat's readers ask for: what file(1) and lsattr(1) say, where they are installed. */
export interface FileDetails {
  readonly blocks: number;
  readonly blockSize: number;
  readonly deviceType: number;
  /** `unknown` when file(1) cannot tell. */
  readonly mimeType: string;
  readonly charset: string;
  /** The letters that chattr sets. */
  readonly flags: string;
  /** The generation of the inode. */
  readonly version: string | undefined;
}

/** Details of files that exist; undefined for what does not. */
export const fileDetails: FactKind<FileDetailsKey, FileDetails | undefined> = {
  name: 'file details',
  scope: 'host',
  id: ({ path, follow }) => `${path}${follow ? ' followed' : ''}`,
  script: (keys) =>
    subshell([
      'details() {',
      // The path may begin with a dash; a relative one then cannot be mistaken for an option.
      'case $2 in -*) p=./$2 ;; *) p=$2 ;; esac',
      `stat $1 -c '%b %o %t %T' -- "$p" 2>/dev/null || { printf '\\0'; return; }; printf '\\0'`,
      `file -b $3 --mime-type --mime-encoding -- "$p" 2>/dev/null; printf '\\0'`,
      `lsattr -vd "$p" 2>/dev/null; printf '\\0'`,
      '}',
      ...keys.map(
        ({ path, follow }) => `details '${follow ? '-L' : ''}' ${quote(path)} ${follow ? '-L' : '-h'}`,
      ),
    ]),
  parse(stdout, keys) {
    const reader = new FieldReader('file details', stdout);
    return keys.map(() => {
      const [blocks, blockSize, major = '0', minor = '0'] = reader.next().trim().split(' ');
      if (blockSize === undefined) return undefined;
      const [, mimeType = 'unknown', charset = 'unknown'] =
        /^([^;\n]+); charset=(\S+)\s*$/.exec(reader.next()) ?? [];
      const [version, flags = ''] = reader.next().trim().split(/\s+/);
      return {
        blocks: Number(blocks),
        blockSize: Number(blockSize),
        deviceType: deviceNumber(Number.parseInt(major, 16), Number.parseInt(minor, 16)),
        mimeType,
        charset,
        flags: flags.replaceAll('-', ''),
        version: version || undefined,
      };
    });
  },
};

/** Both numbers of a device in one, as Linux keeps them where they are small. */
function deviceNumber(major: number, minor: number): number {
  return major * 256 + (minor & 0xff) + Math.floor(minor / 256) * 2 ** 20;
}
