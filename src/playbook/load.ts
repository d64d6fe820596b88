import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

import { isDict, isList } from '../lib/value.ts';
import type { Play, Playbook } from './ast.ts';
import { describe, Fields } from './fields.ts';
import { keywordsWhere } from './keywords.ts';
import { LoadContext } from './load-context.ts';
import type { LoaderOptions } from './loader-options.ts';
import { type ImportedWith, readPlay } from './play.ts';

const IMPORT_KEYS = ['import_playbook', 'ansible.builtin.import_playbook', 'ansible.legacy.import_playbook'];

/** Without any of these, it is rather a task that stands among the plays. */
const OF_PLAYS_ONLY = keywordsWhere(({ on }) => on.join() === 'play').filter((name) => name !== 'user');

/** Loads a playbook with all that it imports. What is wrong anywhere in it is thrown at once. */
export function loadPlaybook(file: string, options: LoaderOptions): Playbook {
  const absolute = resolve(file);
  const context = new LoadContext(options);
  const plays = readPlays(context, absolute, { vars: [], inherited: { when: [], tags: [] } }, []);
  context.finish();
  return { file: absolute, directory: dirname(absolute), plays, warnings: context.warnings };
}

function readPlays(
  context: LoadContext,
  file: string,
  imported: ImportedWith,
  chain: readonly string[],
): readonly Play[] {
  const document = context.read(file);
  if (!document) return [];
  const { value } = document;
  if (!isList(value) || value.length === 0) {
    const found = value === null || isList(value) ? 'nothing' : describe(value);
    const hint = 'it starts with "- hosts: …"';
    context.problems.push(
      document.problem(document.start, `a playbook is a list of plays, found ${found}`, hint),
    );
    return [];
  }
  return value.flatMap((item, index): readonly Play[] => {
    if (!isDict(item)) {
      const at = document.valueAt(value, index);
      context.problems.push(document.problem(at, `expected a play, found ${describe(item)}`));
      return [];
    }
    const fields = new Fields(context, document, item);
    const key = IMPORT_KEYS.find((name) => item.has(name));
    if (key !== undefined) return importPlays(context, fields, key, imported, [...chain, file]);
    if (!item.has('hosts') && !OF_PLAYS_ONLY.some((keyword) => item.has(keyword))) {
      const hint = 'name hosts or groups of the inventory; a file of tasks is imported with import_tasks';
      context.problems.push(document.problem(fields.start, 'a play needs "hosts"', hint));
      return [];
    }
    return [readPlay(context, fields, dirname(file), imported)];
  });
}

function importPlays(
  context: LoadContext,
  fields: Fields,
  key: string,
  outer: ImportedWith,
  chain: readonly string[],
): readonly Play[] {
  fields.checkKeywords('import_playbook', (name) => name === key);
  const written = fields.text(key);
  if (!written) {
    fields.report(key, '"import_playbook": expected the name of a file, found nothing');
    return [];
  }
  const vars = fields.vars();
  const visible = vars ? [...outer.vars, vars] : outer.vars;
  const name = context.renderStatic(written, visible);
  if (name === undefined) return [];
  const file = resolve(dirname(fields.document.file), name);
  if (chain.includes(file)) {
    fields.report(key, `${file} imports itself: ${[...chain, file].join(' → ')}`);
    return [];
  }
  if (!existsSync(file)) {
    const hint = /\s\w+=/.test(name)
      ? 'it takes the name of a file only; variables stand below "vars"'
      : undefined;
    fields.report(key, `there is no playbook ${file}`, hint);
    return [];
  }
  const when = fields.conditions('when');
  const tags = fields.tags(visible);
  return readPlays(
    context,
    file,
    {
      // Of nested imports the outer one's variables win.
      vars: vars ? [vars, ...outer.vars] : outer.vars,
      inherited: {
        when: [...outer.inherited.when, ...when],
        tags: [...new Set([...outer.inherited.tags, ...tags])],
      },
    },
    chain,
  );
}
