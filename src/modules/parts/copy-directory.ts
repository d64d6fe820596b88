import { posix } from 'node:path';

import type { FactQuery, FactReader } from '../../facts/fact.ts';
import type { Diff, Plan, PlanContext } from '../../steps/plan.ts';
import type { Step } from '../../steps/step.ts';
import { octal } from '../kit/arguments.ts';
import { attributesOf } from './attributes.ts';
import type { CopyArgs } from './copy-arguments.ts';
import { attributeCommands, makeDirectories } from './directories.ts';
import { attributeWork, digestQuery, fileWork } from './file-plan.ts';

/**
 * Copies a directory of the controller with all that is below it. With a slash at the end of `src`, only what is in
 * it; otherwise the directory itself. What else is at the destination stays.
 */
export function planDirectoryCopy(
  given: CopyArgs,
  src: string,
  source: string,
  facts: FactReader,
  context: PlanContext,
): Plan {
  const dest = src.endsWith('/') ? given.dest : posix.join(given.dest, posix.basename(source));
  const entries = context.controller.list(source);
  const queries = [dest, ...entries.map((entry) => posix.join(dest, entry.path))].map((path) =>
    digestQuery(path, given.follow),
  );
  const missing = queries.filter((needed) => !facts.has(needed));
  if (missing.length > 0) return { kind: 'need', facts: missing };

  const diffs: Diff[] = [];
  const steps: Step[] = [];
  const need: FactQuery[] = [];
  const ofDirectories = { owner: given.owner, group: given.group, mode: given.directory_mode };
  const directories = [
    '',
    ...entries.filter((entry) => entry.type === 'directory').map((entry) => entry.path),
  ];
  for (const relative of directories) {
    const path = relative === '' ? dest : posix.join(dest, relative);
    const current = facts.get(digestQuery(path, given.follow));
    if (!current.exists) {
      diffs.push({ subject: path, before: 'state: absent\n', after: 'state: directory\n' });
      steps.push({
        kind: 'script',
        description: `create directory ${path}`,
        script: ['set -e', ...makeDirectories(path, attributeCommands(ofDirectories))].join('\n'),
      });
    } else if (current.type === 'directory') {
      // Only a mode that was asked for by name is enforced on directories that exist.
      const work = attributeWork(path, ofDirectories, current, facts);
      if ('need' in work) need.push(...work.need);
      else {
        diffs.push(...work.diffs);
        steps.push(...work.steps);
      }
    } else if (current.type !== 'link') {
      return { kind: 'failed', message: `${path} is a ${current.type}, where a directory shall be` };
    }
  }
  for (const entry of entries) {
    if (entry.type === 'directory') continue;
    const path = posix.join(dest, entry.path);
    const current = facts.get(digestQuery(path, given.follow));
    const work = fileWork(
      {
        path: given.follow && current.exists ? (current.realPath ?? path) : path,
        content: context.controller.content(posix.join(source, entry.path)),
        attributes: {
          ...attributesOf(given),
          mode: given.mode === 'preserve' ? octal(entry.mode & 0o7777) : given.mode,
        },
        validate: given.validate,
        backup: given.backup,
        onlyCreate: !given.force,
        linkIsNew: true,
        unsafe_writes: given.unsafe_writes,
      },
      current,
      facts,
      context,
    );
    if ('failed' in work) return { kind: 'failed', message: work.failed };
    if ('need' in work) need.push(...work.need);
    else {
      diffs.push(...work.diffs);
      steps.push(...work.steps);
    }
  }
  if (need.length > 0) return { kind: 'need', facts: uniqueQueries(need) };
  const result = { dest: given.dest, src };
  if (steps.length === 0) return { kind: 'unchanged', result };
  return { kind: 'change', diffs, steps, result };
}

/** Each query once. */
export function uniqueQueries(queries: readonly FactQuery[]): FactQuery[] {
  return [...new Map(queries.map((item) => [item.id, item])).values()];
}
