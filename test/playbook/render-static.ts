import { UserError } from '../../src/lib/errors.ts';
import type { Text, VarsBlock } from '../../src/playbook/ast.ts';

/** Stands for the template engine: replaces `{{ name }}`, as names of imports need no more. */
export function renderStatic(text: Text, vars: readonly VarsBlock[]): string {
  return text.text.replaceAll(/\{\{\s*(\w+)\s*\}\}/g, (_, name: string) => {
    const block = vars.findLast(({ values }) => values.has(name));
    if (!block) throw new UserError({ message: `"${name}" is undefined`, location: text.at });
    return String(block.values.get(name));
  });
}
