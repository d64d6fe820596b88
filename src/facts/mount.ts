import { quote } from '../lib/shell.ts';
import type { FactKind } from './fact.ts';
import { FieldReader, subshell } from './script.ts';

export interface MountKey {
  readonly path: string;
  /** A device, directory or network path, to tell whether that is what is mounted there. */
  readonly source?: string | undefined;
}

/** What is mounted on a path; of several mounts, the one on top. */
export type MountFact =
  | { readonly mounted: false }
  | {
      readonly mounted: true;
      readonly source: string;
      readonly fstype: string;
      /** Whether the key's source is what is mounted: by its name, its device, or as the directory of a bind mount. */
      readonly isSource: boolean;
    };

interface Entry {
  readonly device: string;
  readonly root: string;
  readonly target: string;
  readonly fstype: string;
  readonly source: string;
}

const TAG = /^(?:UUID|LABEL|PARTUUID|PARTLABEL|ID)=/;

/** Mounts, as the kernel lists them. */
export const mount: FactKind<MountKey, MountFact> = {
  name: 'mount',
  scope: 'host',
  id: (key) => `${key.path}${key.source === undefined ? '' : ` from ${key.source}`}`,
  script: (keys) =>
    subshell([
      `cat /proc/self/mountinfo; printf '\\0'`,
      ...keys.map((key) =>
        [`printf '%s\\0' "$(readlink -m -- ${quote(key.path)})"`, ...sourceScript(key.source ?? '')].join(
          '\n',
        ),
      ),
    ]),
  parse(stdout, keys) {
    const reader = new FieldReader('mount', stdout);
    const entries = reader.lines().map(parseEntry);
    return keys.map((key): MountFact => {
      const target = reader.next();
      const wanted = { name: key.source ?? '', path: reader.next(), device: reader.next() };
      const top = entries.findLast((entry) => entry.target === target);
      if (!top) return { mounted: false };
      return {
        mounted: true,
        source: top.source,
        fstype: top.fstype,
        isSource: key.source !== undefined && isSource(wanted, top, entries),
      };
    });
  },
};

/** Prints where a source leads in the end, and its device number as stat has it, where it has one. */
function sourceScript(source: string): string[] {
  const isTag = TAG.test(source);
  if (!isTag && !source.startsWith('/')) return [`printf '\\0\\0'`];
  return [
    isTag ? `s=$(findfs ${quote(source)} 2>/dev/null)` : `s=${quote(source)}`,
    `if [ -n "$s" ]; then s=$(readlink -m -- "$s"); fi; printf '%s\\0' "$s"`,
    `if [ -b "$s" ]; then stat -c '%t:%T' -- "$s" 2>/dev/null; fi; printf '\\0'`,
  ];
}

/** One line of /proc/self/mountinfo: see proc(5). */
function parseEntry(line: string): Entry {
  const [before = '', after = ''] = line.split(' - ', 2);
  const [, , device = '', root = '', target = ''] = before.split(' ');
  const [fstype = '', source = ''] = after.split(' ');
  return { device, root: unescape(root), target: unescape(target), fstype, source: unescape(source) };
}

function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

function isSource(
  wanted: { readonly name: string; readonly path: string; readonly device: string },
  top: Entry,
  entries: readonly Entry[],
): boolean {
  const plain = (text: string): string => (text.length > 1 ? text.replace(/\/+$/, '') : text);
  if (top.root === '/' || wanted.path === '') {
    if (plain(top.source) === plain(wanted.name) || top.source === wanted.path) return true;
  }
  if (wanted.device.trim() !== '' && top.root === '/') return decimal(wanted.device.trim()) === top.device;
  return wanted.path !== '' && isBind(wanted.path, top, entries);
}

/** Whether a mount shows the directory at `path`: the same place of the same file system. */
function isBind(path: string, top: Entry, entries: readonly Entry[]): boolean {
  const holder = entries
    .filter((entry) => entry !== top && isBelow(path, entry.target))
    .reduce<Entry | undefined>(
      (best, entry) => (best && best.target.length > entry.target.length ? best : entry),
      undefined,
    );
  if (!holder || holder.device !== top.device) return false;
  const rest = path.slice(holder.target === '/' ? 0 : holder.target.length);
  return (
    `${holder.root === '/' ? '' : holder.root}${rest === '/' ? '' : rest}` ===
    (top.root === '/' ? '' : top.root)
  );
}

function isBelow(path: string, directory: string): boolean {
  return directory === '/' || path === directory || path.startsWith(`${directory}/`);
}

/** `fd:1` as `253:1`. */
function decimal(device: string): string {
  return device
    .split(':')
    .map((part) => String(Number.parseInt(part, 16)))
    .join(':');
}
