import { posix } from 'node:path';

import { query, type FactQuery, type FactReader } from '../../facts/fact.ts';
import { file as fileFact, type FileFact } from '../../facts/file.ts';
import { quote } from '../../lib/shell.ts';
import type { Plan, PlanContext } from '../../steps/plan.ts';
import type { Step } from '../../steps/step.ts';
import { octal } from '../kit/arguments.ts';
import { attributesOf } from './attributes.ts';
import type { CopyArgs } from './copy-arguments.ts';
import {
  attributeWork,
  digestQuery,
  fileResult,
  replacedFile,
  withOctalMode,
  workPlan,
} from './file-plan.ts';
import { planRemoteDirectory } from './copy-remote-directory.ts';

/** Copies a file or directory from one place of the target to another. */
export function planRemoteCopy(given: CopyArgs, src: string, facts: FactReader, context: PlanContext): Plan {
  const source = facts.get(query(fileFact, { path: src, follow: true, checksum: 'sha1' }));
  const result = { src, dest: given.dest };
  if (!source.exists) return { kind: 'failed', message: `Source ${src} not found`, result };
  if (source.type === 'directory') return planRemoteDirectory(given, src, facts, context);
  const atDest = facts.get(digestQuery(given.dest, given.follow));
  const isInside = isDirectory(given.dest, atDest, facts);
  if (typeof isInside === 'object') return { kind: 'need', facts: [isInside.need] };
  const dest = isInside ? posix.join(given.dest, posix.basename(src)) : given.dest;
  const needed = digestQuery(dest, given.follow);
  if (!facts.has(needed)) return { kind: 'need', facts: [needed] };
  const current = facts.get(needed);
  const path = given.follow && current.exists && current.realPath ? current.realPath : dest;
  const attributes = {
    ...attributesOf(given),
    mode: given.mode === 'preserve' ? octal(source.mode) : given.mode,
  };
  const replaced = replacedFile(current);
  const results = {
    ...result,
    dest,
    checksum: source.checksum,
    ...fileResult(replaced, attributes, source.size),
    state: 'file',
  };
  if (given.checksum !== undefined && given.checksum !== source.checksum) {
    return {
      kind: 'failed',
      message: `${src} has the checksum ${source.checksum}, not ${given.checksum}`,
      result,
    };
  }
  if (current.exists && current.type === 'directory') {
    return { kind: 'failed', message: `${path} is a directory`, result };
  }
  const isSame = current.exists && current.type === 'file' && current.checksum === source.checksum;
  if (current.exists && !given.force) {
    return { kind: 'unchanged', result: { ...results, msg: 'file already exists' } };
  }
  if (isSame) {
    return workPlan(attributeWork(path, attributes, current, facts), results);
  }
  return {
    kind: 'change',
    diffs: [
      {
        subject: path,
        before: current.exists ? `checksum: ${current.checksum ?? 'unknown'}\n` : 'state: absent\n',
        after: `checksum: ${source.checksum ?? 'unknown'}\n`,
      },
    ],
    steps: [
      ...(given.dest.endsWith('/') && !atDest.exists ? [makeDirectory(given.dest)] : []),
      {
        kind: 'write',
        path,
        content: { targetFile: src },
        attributes: withOctalMode(attributes, replaced),
        validate: given.validate,
        backup: given.backup,
        ...(current.exists && current.type === 'link' ? { linkIsNew: true } : {}),
        ...(given.unsafe_writes ? { unsafe: true } : {}),
      },
    ],
    result: results,
  };
}

/** Whether the file goes into what is at the destination: a directory, or a link to one. */
function isDirectory(
  dest: string,
  atDest: FileFact,
  facts: FactReader,
): boolean | { readonly need: FactQuery } {
  if (!atDest.exists) return dest.endsWith('/');
  if (atDest.type !== 'link') return atDest.type === 'directory';
  const needed = query(fileFact, { path: dest, follow: true });
  if (!facts.has(needed)) return { need: needed };
  const target = facts.get(needed);
  return target.exists && target.type === 'directory';
}

function makeDirectory(path: string): Step {
  return { kind: 'script', description: `create directory ${path}`, script: `mkdir -p -- ${quote(path)}` };
}
