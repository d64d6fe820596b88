import { posix } from 'node:path';

import { query, type FactQuery, type FactReader } from '../../facts/fact.ts';
import { file as fileFact, type FileFact } from '../../facts/file.ts';
import { quote } from '../../lib/shell.ts';
import type { Plan, PlanContext } from '../../steps/plan.ts';
import { octal } from '../kit/arguments.ts';
import { attributesOf } from './attributes.ts';
import type { CopyArgs } from './copy-arguments.ts';
import { attributeCommands } from './directories.ts';
import { attributeWork, digestQuery, fileResult, replacedFile, workPlan } from './file-plan.ts';
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
  const results = {
    ...result,
    dest,
    checksum: source.checksum,
    ...fileResult(replacedFile(current), attributes, source.size),
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
      {
        kind: 'script',
        description: `copy ${src} to ${path}`,
        script: copyScript(src, path, given, attributeCommands(attributes)),
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

/** The same promise that `write` gives: temporary file, attributes, validation, and only then the name. */
function copyScript(
  src: string,
  path: string,
  given: CopyArgs,
  attributes: readonly ((word: string) => string)[],
): string {
  const target = quote(path);
  return [
    'set -e',
    ...(given.dest.endsWith('/') ? [`mkdir -p -- ${quote(given.dest)}`] : []),
    `tmp=$(mktemp ${quote(`${posix.dirname(path)}/.understudy.XXXXXXXXXX`)})`,
    `trap 'rm -f -- "$tmp"' EXIT`,
    `cat < ${quote(src)} > "$tmp"`,
    `if [ -e ${target} ] && ! [ -L ${target} ]; then chown "$(stat -c %u:%g -- ${target})" "$tmp"; chmod "$(stat -c %a -- ${target})" "$tmp"`,
    `else chmod "$(printf '%o' $((0666 & ~$(umask))))" "$tmp"; fi`,
    ...attributes.map((run) => run('"$tmp"')),
    ...(given.validate === undefined ? [] : [given.validate.replaceAll('%s', '"$tmp"')]),
    ...(given.backup
      ? [`if [ -e ${target} ]; then cp -p -- ${target} ${target}".$$.$(date +%Y-%m-%d@%H:%M:%S~)"; fi`]
      : []),
    'sync "$tmp"',
    given.unsafe_writes
      ? [
          `mv -fT -- "$tmp" ${target} 2>/dev/null || {`,
          `[ -f ${target} ]; cat < "$tmp" > ${target}; rm -f -- "$tmp"`,
          ...attributes.map((run) => run(target)),
          '}',
        ].join('\n')
      : `mv -fT -- "$tmp" ${target}`,
    'trap - EXIT',
  ].join('\n');
}
