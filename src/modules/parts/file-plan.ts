import { createHash } from 'node:crypto';

import { content, type ContentFact } from '../../facts/content.ts';
import { query, type FactQuery, type FactReader } from '../../facts/fact.ts';
import { file, type ExistingFile, type FileFact } from '../../facts/file.ts';
import type { Diff, Plan, PlanContext, Result } from '../../steps/plan.ts';
import type { FileAttributes, FileContent, Step } from '../../steps/step.ts';
import { octal } from '../kit/arguments.ts';
import type { Afterwards } from '../kit/module.ts';
import { attributeChange, diffText } from './attributes.ts';
import { resolveMode } from './mode.ts';

/** A file as it shall be. */
export interface FileWish {
  readonly path: string;
  readonly content: FileContent;
  readonly attributes: FileAttributes;
  readonly validate?: string | undefined;
  readonly backup?: boolean | undefined;
  /** Leave a file that exists alone. */
  readonly onlyCreate?: boolean | undefined;
  /** A symbolic link at the path gives place to a file with the attributes of a new one. */
  readonly linkIsNew?: boolean | undefined;
  readonly unsafe_writes?: boolean | undefined;
}

/** What to do about one file; several make one plan. */
export interface FileWork {
  readonly diffs: readonly Diff[];
  readonly steps: readonly Step[];
}

/** The digest that tells whether a file has the content, read with the file's other attributes. */
export function digestQuery(path: string, follow = false): FactQuery<FileFact> {
  return query(file, { path, follow, checksum: 'sha1' });
}

/** The SHA-1 that Ansible calls `checksum`. */
export function sha1(bytes: FileContent): string {
  return 'localFile' in bytes ? bytes.sha1 : createHash('sha1').update(bytes).digest('hex');
}

/** The MD5 that Ansible's copy calls `md5sum`: a courtesy for which no large file is read again. */
export function md5(bytes: FileContent): string | undefined {
  return 'localFile' in bytes ? undefined : createHash('md5').update(bytes).digest('hex');
}

/**
 * Compares one file with what it shall be. `current` carries the SHA-1. The content there now is read only when
 * somebody will look at the difference.
 */
export function fileWork(
  wish: FileWish,
  current: FileFact,
  facts: FactReader,
  context: PlanContext,
): FileWork | { readonly need: readonly FactQuery[] } | { readonly failed: string } {
  if (current.exists && current.type === 'directory') return { failed: `${wish.path} is a directory` };
  // Without `force`, what is there is left alone, with the owner and mode that it has.
  if (current.exists && wish.onlyCreate) return { diffs: [], steps: [] };
  const isSame = current.exists && current.type === 'file' && current.checksum === sha1(wish.content);
  if (isSame) {
    // Where the fact is of what a link leads to, so are the attributes.
    return attributeWork(current.realPath ?? wish.path, wish.attributes, current, facts);
  }
  const before = current.exists && context.diffMode ? query(content, wish.path) : undefined;
  if (before && !facts.has(before)) return { need: [before] };
  return writeWork(wish, current, before && facts.get(before), facts);
}

/** Like `fileWork` for modules that had to read the content anyway. */
export function writeWork(
  wish: FileWish,
  current: FileFact,
  before: ContentFact | undefined,
  facts: FactReader,
): FileWork | { readonly need: readonly FactQuery[] } {
  // A link's own owner and mode say nothing of the file that takes its place.
  const replaced = replacedFile(current);
  const attributes = replaced.exists
    ? attributeWork(wish.path, wish.attributes, replaced, facts)
    : { diffs: newAttributes(wish.path, wish.attributes), steps: [] };
  if ('need' in attributes) return attributes;
  return {
    diffs: [
      { subject: wish.path, before: contentText(before), after: bytesText(wish.content) },
      ...attributes.diffs,
    ],
    steps: [
      {
        kind: 'write',
        path: wish.path,
        content: wish.content,
        attributes: withOctalMode(wish.attributes, replaced),
        validate: wish.validate,
        backup: wish.backup,
        ...(wish.linkIsNew && current.exists && current.type === 'link' ? { linkIsNew: true } : {}),
        ...(wish.unsafe_writes ? { unsafe: true } : {}),
      },
    ],
  };
}

/** A symbolic mode means what the file has now, not what the temporary file happens to have. */
export function withOctalMode(attributes: FileAttributes, replaced: FileFact): FileAttributes {
  const { mode } = attributes;
  return {
    ...attributes,
    mode: mode !== undefined && replaced.exists ? octal(resolveMode(mode, replaced.mode, false)) : mode,
  };
}

function newAttributes(path: string, attributes: FileAttributes): Diff[] {
  const given = Object.entries(attributes).filter((entry) => entry[1] !== undefined);
  if (given.length === 0) return [];
  const after = Object.fromEntries(
    given.map(([name, value]) => [name, name === 'mode' ? `'${String(value)}'` : String(value)]),
  );
  return [{ subject: `${path} (attributes)`, before: '', after: diffText(after) }];
}

/** Gives an existing file its attributes. */
export function attributeWork(
  path: string,
  attributes: FileAttributes,
  current: ExistingFile,
  facts: FactReader,
): FileWork | { readonly need: readonly FactQuery[] } {
  const change = attributeChange(path, attributes, current, facts);
  if ('need' in change) return change;
  if (change.script.length === 0) return { diffs: [], steps: [] };
  return {
    diffs: [
      { subject: `${path} (attributes)`, before: diffText(change.before), after: diffText(change.after) },
    ],
    steps: [
      {
        kind: 'script',
        description: `set ${Object.keys(change.after).join(' and ')} of ${path}`,
        script: ['set -e', ...change.script].join('\n'),
      },
    ],
  };
}

/** A plan of what has to be done, which may be nothing. */
export function workPlan(
  work: FileWork | { readonly need: readonly FactQuery[] } | { readonly failed: string },
  result: Result,
): Plan {
  if ('need' in work) return { kind: 'need', facts: work.need };
  if ('failed' in work) return { kind: 'failed', message: work.failed, result };
  if (work.steps.length === 0) return { kind: 'unchanged', result };
  return { kind: 'change', diffs: work.diffs, steps: work.steps, result };
}

/** What a file that is written at a path replaces: a symbolic link goes, and tells nothing of what takes its place. */
export function replacedFile(current: FileFact): FileFact {
  return current.exists && current.type === 'link' ? { exists: false } : current;
}

/** Ansible's return values about a file: as it is, and as the attributes will make it. */
export function fileResult(current: FileFact, attributes: FileAttributes, size?: number): Result {
  const known: Record<string, unknown> = { state: 'file' };
  if (current.exists) {
    known['state'] = current.type === 'file' && current.links > 1 ? 'hard' : current.type;
    known['uid'] = current.uid;
    known['gid'] = current.gid;
    known['owner'] = current.owner;
    known['group'] = current.group;
    known['mode'] = octal(current.mode);
    known['size'] = current.size;
  }
  const { owner, group, mode } = attributes;
  if (owner !== undefined)
    known[/^\d+$/.test(owner) ? 'uid' : 'owner'] = /^\d+$/.test(owner) ? Number(owner) : owner;
  if (group !== undefined)
    known[/^\d+$/.test(group) ? 'gid' : 'group'] = /^\d+$/.test(group) ? Number(group) : group;
  if (mode !== undefined) {
    const base = current.exists ? current.mode : 0o644;
    known['mode'] = octal(resolveMode(mode, base, current.exists && current.type === 'directory'));
  }
  if (size !== undefined) known['size'] = size;
  return known;
}

/** For modules that return the attributes of the file that they have made, and its path under a name. */
export function placedAt(name: string): (result: Result) => Afterwards | undefined {
  return (result) => {
    const path = result[name];
    if (typeof path !== 'string') return undefined;
    const read = query(file, { path });
    return {
      read,
      result(facts) {
        const found = facts.get(read);
        return found.exists ? fileResult(found, {}) : {};
      },
    };
  };
}

/** Text for a diff; binary and large content is only named. */
export function bytesText(bytes: FileContent): string {
  if ('localFile' in bytes) return `(${bytes.size} bytes, SHA-1 ${bytes.sha1})\n`;
  if (bytes.includes(0)) return `(binary content, ${bytes.length} bytes, SHA-1 ${sha1(bytes)})\n`;
  return bytes.toString('utf8');
}

function contentText(fact: ContentFact | undefined): string {
  switch (fact?.kind) {
    case 'file':
      return bytesText(fact.bytes);
    case 'too large':
      return `(${fact.size} bytes)\n`;
    default:
      return '';
  }
}
