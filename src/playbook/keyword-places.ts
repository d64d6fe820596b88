import { didYouMean } from '../lib/similar.ts';
import type { Level } from './keyword.ts';
import { keywordOf, keywordsWhere, type KeywordName } from './keywords.ts';

/** Where keywords can stand: on a level of a playbook, or below an include's `apply`, which is like a block. */
export type Position = Level | 'apply';

/** The supported keywords of a place. */
export function keywordsOf(position: Position): readonly KeywordName[] {
  return keywordsWhere(({ on, kind }) =>
    position === 'apply' ? on.includes('block') && kind !== 'tasks' : on.includes(position),
  );
}

/** Whether a word is one of Ansible's keywords in a place, supported or not. */
export function isKeyword(name: string, position: Position): boolean {
  const level = position === 'apply' ? 'block' : position;
  const keyword = keywordOf(name);
  return (
    (keyword !== undefined &&
      keyword.on.includes(level) &&
      (position !== 'apply' || keyword.kind !== 'tasks')) ||
    isLoopKeyword(name)
  );
}

/** `with_items` and its like. */
export function isLoopKeyword(name: string): boolean {
  return name.startsWith('with_');
}

/** Whether a word looks like a mistyped keyword. */
export function resemblesKeyword(name: string, position: Position): boolean {
  return !name.includes('.') && didYouMean(name, keywordsOf(position)) !== undefined;
}

/** Whether a word is a keyword of plays, blocks or handlers; `user` is a module as well. */
export function isKeywordElsewhere(name: string): boolean {
  const on = keywordOf(name)?.on ?? [];
  return name !== 'user' && (['play', 'block', 'handler'] as const).some((level) => on.includes(level));
}

/** What to say about a word that is no keyword where it stands. */
export function explainUnknownKeyword(name: string, position: Position): { message: string; hint?: string } {
  const where =
    position === 'apply'
      ? '"apply"'
      : position === 'import_playbook'
        ? 'an import_playbook'
        : `a ${position}`;
  const message = `"${name}" is not a keyword of ${where}`;
  if (name === 'when' && position === 'play') {
    return {
      message,
      hint: 'a condition stands on tasks, blocks and roles; put the tasks in a block to share one',
    };
  }
  const known = keywordsOf(position);
  const near = didYouMean(name, known);
  const elsewhere = (['play', 'block', 'task', 'handler'] as const).filter((other) =>
    keywordsOf(other).some((keyword) => keyword === name),
  );
  if (elsewhere.length > 0) {
    const [first, ...rest] = elsewhere.map((other) => `${other}s`);
    const places =
      rest.length === 0 ? first : `${[first, ...rest.slice(0, -1)].join(', ')} and ${rest.at(-1)}`;
    return { message, hint: `it is a keyword of ${places}; check the indentation` };
  }
  return near === undefined
    ? { message, hint: `there are ${[...known].sort().join(', ')}` }
    : { message, hint: near };
}
