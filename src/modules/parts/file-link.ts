import { posix } from 'node:path';

import { directory } from '../../facts/directory.ts';
import { query, type FactReader } from '../../facts/fact.ts';
import { file as fileFact, type FileFact } from '../../facts/file.ts';
import { quote } from '../../lib/shell.ts';
import type { Plan } from '../../steps/plan.ts';
import { attributesOf } from './attributes.ts';
import { attributeCommands } from './directories.ts';
import type { FileArgs } from './file-arguments.ts';
import { attributeWork, fileResult, workPlan } from './file-plan.ts';

/** What it takes to have a symbolic or hard link at a path. */
export function planLink(given: FileArgs, kind: 'link' | 'hard', current: FileFact, facts: FactReader): Plan {
  const src = given.src ?? (kind === 'link' && given.follow && current.exists ? current.target : undefined);
  const result = { dest: given.path, src, ...fileResult(current, {}), state: kind };
  const fail = (message: string): Plan => ({ kind: 'failed', message, result: { path: given.path, src } });
  if (src === undefined) {
    if (current.exists && kind === 'hard' && current.links > 1) return { kind: 'unchanged', result };
    return fail(`src is required for creating new ${kind === 'link' ? 'symlinks' : 'hardlinks'}`);
  }
  const isDirectory = current.exists && current.type === 'directory';
  const base = isDirectory ? given.path : posix.dirname(given.path);
  const source = kind === 'link' && !src.startsWith('/') ? posix.join(base, src) : src;
  const sourceQuery = query(fileFact, { path: source, follow: true });
  if (!facts.has(sourceQuery)) return { kind: 'need', facts: [sourceQuery] };
  const sourceFile = facts.get(sourceQuery);
  if (!sourceFile.exists && (kind === 'hard' || !given.force)) {
    return fail(
      kind === 'hard'
        ? 'src does not exist'
        : `src file does not exist, use "force=yes" if you really want to create the link: ${source}`,
    );
  }
  const isRight =
    current.exists &&
    (kind === 'link'
      ? current.target === src
      : sourceFile.exists && current.inode === sourceFile.inode && current.device === sourceFile.device);
  if (isRight) return linkAttributes(given, current, sourceFile, source, facts, result);
  if (current.exists && current.type !== 'link' && !given.force) {
    return fail(
      kind === 'link'
        ? `refusing to convert from ${current.type} to symlink for ${given.path}`
        : `Cannot link, ${current.type} exists at destination`,
    );
  }
  if (isDirectory) {
    const listing = query(directory, { path: given.path, depth: 1 });
    if (!facts.has(listing)) return { kind: 'need', facts: [listing] };
    const found = facts.get(listing);
    if (found.exists && found.entries.length > 0) {
      return fail(`the directory ${given.path} is not empty, refusing to convert it`);
    }
  }
  // Attributes of a new symbolic link are meant for what it leads to, unless they must not follow.
  const ofTarget =
    kind === 'link' && given.follow && sourceFile.exists
      ? attributeWork(source, attributesOf(given), sourceFile, facts)
      : { diffs: [], steps: [] };
  if ('need' in ofTarget) return { kind: 'need', facts: ofTarget.need };
  const word = quote(given.path);
  const ofLink =
    kind === 'link' && given.follow ? [] : attributeCommands(attributesOf(given)).map((run) => run(word));
  const temporary = quote(
    posix.join(posix.dirname(given.path), `.${posix.basename(given.path)}.understudy-link`),
  );
  return {
    kind: 'change',
    diffs: [
      {
        subject: given.path,
        before: current.exists ? describe(current.type, current.target) : 'state: absent\n',
        after: describe(kind, src),
      },
      ...ofTarget.diffs,
    ],
    steps: [
      {
        kind: 'script',
        description: `link ${given.path} to ${src}`,
        script: [
          'set -e',
          `rm -f -- ${temporary}`,
          `ln ${kind === 'link' ? '-s ' : ''}-- ${quote(src)} ${temporary}`,
          ...(isDirectory ? [`rmdir -- ${word}`] : []),
          // Renaming a hard link over another name of the same file does nothing, so the rest is removed.
          `mv -fT -- ${temporary} ${word}`,
          `rm -f -- ${temporary}`,
          ...(kind === 'link' ? ofLink.filter((line) => !line.startsWith('chmod')) : ofLink),
        ].join('\n'),
      },
      ...ofTarget.steps,
    ],
    result,
  };
}

function describe(kind: string, target: string | undefined): string {
  return `state: ${kind}\n${target === undefined ? '' : `src: ${target}\n`}`;
}

function linkAttributes(
  given: FileArgs,
  current: FileFact,
  target: FileFact,
  source: string,
  facts: FactReader,
  result: Readonly<Record<string, unknown>>,
): Plan {
  const followed = given.follow && current.exists && current.type === 'link';
  const file = followed ? target : current;
  if (!file.exists) return { kind: 'unchanged', result };
  return workPlan(attributeWork(followed ? source : given.path, attributesOf(given), file, facts), result);
}
