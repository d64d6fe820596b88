import { didYouMean } from '../lib/similar.ts';
import { isDict } from '../lib/value.ts';
import type { Prompt } from './ast.ts';
import { describe, Fields } from './fields.ts';
import { withoutUndefined } from './inheritance.ts';

const PARTS = ['name', 'prompt', 'default', 'private', 'confirm', 'unsafe'];
const ENCRYPTING = ['encrypt', 'salt', 'salt_size'];

/** What a play asks the user for. */
export function readPrompts(fields: Fields): readonly Prompt[] {
  const entries = fields.list('vars_prompt', 'questions') ?? [];
  return entries.flatMap((entry, index): Prompt[] => {
    const { context, document } = fields;
    const at = document.valueAt(entries, index);
    if (!isDict(entry)) {
      context.problems.push(
        document.problem(at, `"vars_prompt": expected a dictionary with "name", found ${describe(entry)}`),
      );
      return [];
    }
    const own = new Fields(context, document, entry);
    for (const key of entry.keys()) {
      const part = String(key);
      if (PARTS.includes(part)) continue;
      if (ENCRYPTING.includes(part)) {
        own.report(
          part,
          `"${part}" is not supported`,
          'use the filter password_hash where the variable is used',
        );
      } else own.report(key, `"${part}" is not part of a question`, didYouMean(part, PARTS));
    }
    const name = own.variableName('name');
    if (name === undefined) {
      if (!entry.has('name')) context.problems.push(document.problem(at, 'a question needs "name"'));
      return [];
    }
    const isSet = (key: string): boolean | undefined => {
      const value = own.templated(key, 'flag')?.value;
      return typeof value === 'boolean' ? value : undefined;
    };
    const fallback = entry.get('default') ?? undefined;
    return [
      {
        name,
        at,
        question: own.text('prompt')?.text ?? `input for ${name}`,
        isPrivate: isSet('private') ?? true,
        isConfirmed: isSet('confirm') ?? false,
        isUnsafe: isSet('unsafe') ?? false,
        ...withoutUndefined({ default: fallback }),
      },
    ];
  });
}
