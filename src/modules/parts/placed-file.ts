import { posix } from 'node:path';

import { query, type FactReader } from '../../facts/fact.ts';
import { file as fileFact, type FileFact } from '../../facts/file.ts';
import type { Plan, PlanContext } from '../../steps/plan.ts';
import { contentSize, type FileAttributes, type FileContent } from '../../steps/step.ts';
import { attributeCommands, makeDirectories } from './directories.ts';
import { digestQuery, fileResult, fileWork, md5, replacedFile, sha1, workPlan } from './file-plan.ts';

/** One file that copy or template puts on the target. */
export interface PlacedFile {
  readonly dest: string;
  readonly bytes: FileContent;
  readonly attributes: FileAttributes;
  /** The name that the file gets when `dest` is a directory. */
  readonly source: string | undefined;
  readonly force: boolean;
  readonly backup: boolean;
  readonly follow: boolean;
  readonly validate?: string | undefined;
  readonly unsafe_writes?: boolean | undefined;
  readonly directory_mode?: string | undefined;
}

/** Puts a file at `dest`, or into it when that is a directory. */
export function planPlacedFile(wish: PlacedFile, facts: FactReader, context: PlanContext): Plan {
  const atDest = facts.get(digestQuery(wish.dest, wish.follow));
  if (!isDirectory(wish, atDest)) return planAt(wish, wish.dest, atDest, facts, context);
  if (atDest.exists && atDest.type === 'link') {
    // A link may lead to a directory: what is put "there" goes into that.
    const followed = query(fileFact, { path: wish.dest, follow: true });
    if (!facts.has(followed)) return { kind: 'need', facts: [followed] };
    const target = facts.get(followed);
    if (!target.exists || target.type !== 'directory') return planAt(wish, wish.dest, atDest, facts, context);
  }
  if (wish.source === undefined) return { kind: 'failed', message: `${wish.dest} is a directory` };
  const path = posix.join(wish.dest, posix.basename(wish.source));
  const inside = digestQuery(path, wish.follow);
  if (!facts.has(inside)) return { kind: 'need', facts: [inside] };
  const plan = planAt(wish, path, facts.get(inside), facts, context);
  if (atDest.exists || plan.kind !== 'change') return plan;
  const commands = attributeCommands({ mode: wish.directory_mode });
  return {
    ...plan,
    steps: [
      {
        kind: 'script',
        description: `create directory ${wish.dest}`,
        script: ['set -e', ...makeDirectories(wish.dest, commands)].join('\n'),
      },
      ...plan.steps,
    ],
  };
}

function isDirectory(wish: PlacedFile, atDest: FileFact): boolean {
  if (!atDest.exists) return wish.dest.endsWith('/');
  return atDest.type === 'directory' || (atDest.type === 'link' && wish.source !== undefined);
}

function planAt(
  wish: PlacedFile,
  dest: string,
  current: FileFact,
  facts: FactReader,
  context: PlanContext,
): Plan {
  const path = wish.follow && current.exists && current.realPath ? current.realPath : dest;
  const work = fileWork(
    {
      path,
      content: wish.bytes,
      attributes: wish.attributes,
      validate: wish.validate,
      backup: wish.backup,
      onlyCreate: !wish.force,
      linkIsNew: true,
      unsafe_writes: wish.unsafe_writes,
    },
    current,
    facts,
    context,
  );
  return workPlan(work, {
    dest,
    ...(wish.source === undefined ? {} : { src: wish.source }),
    checksum: sha1(wish.bytes),
    md5sum: md5(wish.bytes),
    ...fileResult(replacedFile(current), wish.attributes, contentSize(wish.bytes)),
    state: 'file',
  });
}
