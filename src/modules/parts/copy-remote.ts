import { posix } from 'node:path';

import { query, type FactReader } from '../../facts/fact.ts';
import { file as fileFact } from '../../facts/file.ts';
import { quote } from '../../lib/shell.ts';
import type { Plan, PlanContext } from '../../steps/plan.ts';
import { octal } from '../kit/arguments.ts';
import { attributesOf } from './attributes.ts';
import type { CopyArgs } from './copy-arguments.ts';
import { attributeCommands } from './directories.ts';
import { attributeWork, digestQuery, fileResult, workPlan } from './file-plan.ts';
import { planRemoteDirectory } from './copy-remote-directory.ts';

/** Copies a file or directory from one place of the target to another. */
export function planRemoteCopy(given: CopyArgs, src: string, facts: FactReader, context: PlanContext): Plan {
  const source = facts.get(query(fileFact, { path: src, follow: true, checksum: 'sha1' }));
  const result = { src, dest: given.dest };
  if (!source.exists) return { kind: 'failed', message: `Source ${src} not found`, result };
  if (source.type === 'directory') return planRemoteDirectory(given, src, facts, context);
  const atDest = facts.get(digestQuery(given.dest, given.follow));
  const isInside = atDest.exists ? atDest.type === 'directory' : given.dest.endsWith('/');
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
    ...fileResult(current, attributes, source.size),
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
  if (current.exists && (isSame || !given.force)) {
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
    `if [ -e ${target} ]; then chown "$(stat -c %u:%g -- ${target})" "$tmp"; chmod "$(stat -c %a -- ${target})" "$tmp"`,
    `else chmod "$(printf '%o' $((0666 & ~$(umask))))" "$tmp"; fi`,
    ...attributes.map((run) => run('"$tmp"')),
    ...(given.validate === undefined ? [] : [given.validate.replaceAll('%s', '"$tmp"')]),
    ...(given.backup
      ? [`if [ -e ${target} ]; then cp -p -- ${target} ${target}".$$.$(date +%Y-%m-%d@%H:%M:%S~)"; fi`]
      : []),
    'sync "$tmp"',
    `mv -fT -- "$tmp" ${target}`,
    'trap - EXIT',
  ].join('\n');
}
