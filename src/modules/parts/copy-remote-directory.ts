import { posix } from 'node:path';

import { directory } from '../../facts/directory.ts';
import { query, type FactReader } from '../../facts/fact.ts';
import { quote } from '../../lib/shell.ts';
import type { Plan, PlanContext } from '../../steps/plan.ts';
import { attributesOf } from './attributes.ts';
import type { CopyArgs } from './copy-arguments.ts';
import { attributeCommands } from './directories.ts';
import { digestQuery } from './file-plan.ts';

/** Copies a directory of the target with all that is below it to another place there. */
export function planRemoteDirectory(
  given: CopyArgs,
  src: string,
  facts: FactReader,
  _context: PlanContext,
): Plan {
  const result = { src, dest: given.dest };
  if (given.mode !== undefined && given.mode !== 'preserve') {
    return {
      kind: 'failed',
      message:
        'mode with a remote_src directory is not supported; use mode: preserve, or file with recurse afterwards',
      result,
    };
  }
  const atDest = facts.get(digestQuery(given.dest, given.follow));
  const dest = src.endsWith('/') && atDest.exists ? given.dest : posix.join(given.dest, posix.basename(src));
  const listing = query(directory, { path: src });
  if (!facts.has(listing)) return { kind: 'need', facts: [listing] };
  const found = facts.get(listing);
  const entries = found.exists ? found.entries : [];
  const pairs = entries.map((entry) => ({
    entry,
    from: digestQuery(posix.join(src, entry.path)),
    to: digestQuery(posix.join(dest, entry.path)),
  }));
  const destination = digestQuery(dest);
  const missing = [destination, ...pairs.flatMap((pair) => [pair.from, pair.to])].filter(
    (item) => !facts.has(item),
  );
  if (missing.length > 0) return { kind: 'need', facts: missing };
  const lines: string[] = [];
  const commands = attributeCommands({ ...attributesOf(given), mode: undefined });
  const place = (word: string, command: string): void => {
    lines.push(command, ...commands.map((run) => run(word)));
  };
  const there = facts.get(destination);
  if (!there.exists) place(quote(dest), `mkdir -p -- ${quote(dest)}`);
  const changed: string[] = [];
  for (const { entry, from, to } of pairs) {
    const source = facts.get(from);
    const current = facts.get(to);
    const word = quote(posix.join(dest, entry.path));
    if (!source.exists) continue;
    if (source.type === 'directory') {
      if (!current.exists) place(word, `mkdir -- ${word}`);
      else continue;
    } else {
      const isSame =
        current.exists &&
        current.type === source.type &&
        (source.type === 'link' ? current.target === source.target : current.checksum === source.checksum);
      if (isSame || (current.exists && !given.force)) continue;
      place(word, `cp -PT --preserve=mode -- ${quote(posix.join(src, entry.path))} ${word}`);
    }
    changed.push(`${entry.path}\n`);
  }
  if (lines.length === 0) return { kind: 'unchanged', result };
  return {
    kind: 'change',
    diffs: [{ subject: dest, before: '', after: changed.join('') }],
    steps: [
      { kind: 'script', description: `copy ${src} to ${dest}`, script: ['set -e', ...lines].join('\n') },
    ],
    result,
  };
}
