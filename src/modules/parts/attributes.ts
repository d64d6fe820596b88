import { account } from '../../facts/account.ts';
import { query, type FactQuery, type FactReader } from '../../facts/fact.ts';
import type { ExistingFile } from '../../facts/file.ts';
import { group } from '../../facts/group.ts';
import { quote } from '../../lib/shell.ts';
import type { FileAttributes } from '../../steps/step.ts';
import { octal } from '../kit/arguments.ts';
import { resolveMode } from './mode.ts';

/** What must change on an existing file so that it has the attributes: for the diff, and as script lines. */
export interface AttributeChange {
  readonly before: Readonly<Record<string, string>>;
  readonly after: Readonly<Record<string, string>>;
  readonly script: readonly string[];
}

const NONE: AttributeChange = { before: {}, after: {}, script: [] };

/** Compares wished attributes with those a file has. An owner of another name may still be the same number, hence `need`. */
export function attributeChange(
  path: string,
  wish: FileAttributes,
  file: ExistingFile,
  facts: FactReader,
): AttributeChange | { readonly need: readonly FactQuery[] } {
  const owner = compareOwner(wish.owner, file.owner, file.uid, facts, 'owner');
  const owningGroup = compareOwner(wish.group, file.group, file.gid, facts, 'group');
  const need = [owner, owningGroup].flatMap((item) => (typeof item === 'object' ? [item.need] : []));
  if (need.length > 0) return { need };
  let change = NONE;
  const isLink = file.type === 'link';
  if (owner === 'differs' && wish.owner !== undefined) {
    change = add(change, 'owner', file.owner, wish.owner, `chown -h -- ${quote(wish.owner)} ${quote(path)}`);
  }
  if (owningGroup === 'differs' && wish.group !== undefined) {
    change = add(change, 'group', file.group, wish.group, `chgrp -h -- ${quote(wish.group)} ${quote(path)}`);
  }
  // A symbolic link has no mode of its own on Linux.
  if (wish.mode !== undefined && !isLink) {
    const mode = resolveMode(wish.mode, file.mode, file.type === 'directory');
    // chown takes setuid and setgid away, so the mode is set again after it.
    const lost = change.script.length > 0 && (mode & 0o6000) !== 0;
    if (mode !== file.mode) {
      change = add(change, 'mode', `'${octal(file.mode)}'`, `'${octal(mode)}'`, chmod(mode, path));
    } else if (lost) {
      change = { ...change, script: [...change.script, chmod(mode, path)] };
    }
  }
  return change;
}

/** Five digits, so that GNU chmod also takes setgid away from a directory. */
function chmod(mode: number, path: string): string {
  return `chmod ${octal(mode).padStart(5, '0')} -- ${quote(path)}`;
}

function add(
  change: AttributeChange,
  name: string,
  before: string,
  after: string,
  line: string,
): AttributeChange {
  return {
    before: { ...change.before, [name]: before },
    after: { ...change.after, [name]: after },
    script: [...change.script, line],
  };
}

function compareOwner(
  wish: string | undefined,
  name: string,
  id: number,
  facts: FactReader,
  kind: 'owner' | 'group',
): 'same' | 'differs' | { readonly need: FactQuery } {
  if (wish === undefined || wish === name) return 'same';
  if (/^\d+$/.test(wish)) return Number(wish) === id ? 'same' : 'differs';
  const needed = kind === 'owner' ? query(account, wish) : query(group, wish);
  if (!facts.has(needed)) return { need: needed };
  const found = kind === 'owner' ? facts.get(query(account, wish))?.uid : facts.get(query(group, wish))?.gid;
  return found === id ? 'same' : 'differs';
}

/** Small text for a diff: one `name: value` a line. */
export function diffText(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}: ${value}\n`)
    .join('');
}

/** The part of a task's arguments that says what a file shall look like. */
export function attributesOf(args: FileAttributes): FileAttributes {
  return { owner: args.owner, group: args.group, mode: args.mode };
}
