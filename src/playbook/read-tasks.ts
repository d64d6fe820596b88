import { isList } from '../lib/value.ts';
import type { TaskNode } from './ast.ts';
import { describe } from './fields.ts';
import type { LoadContext } from './load-context.ts';
import type { Place, ReadTask } from './place.ts';
import { readTaskList } from './task-list.ts';

/** Reads a file of tasks; nothing in it is no mistake, but may be a surprise. */
export function readTasksOf(
  context: LoadContext,
  place: Omit<Place, 'document'>,
  file: string,
  from?: ReadTask,
): readonly TaskNode[] {
  if (place.chain.includes(file)) {
    const message = `${file} imports itself: ${[...place.chain, file].join(' → ')}`;
    if (from) from.fields.report(from.action.name.text, message);
    else context.problems.push({ message, location: { file, line: 1, column: 1 } });
    return [];
  }
  const document = context.read(file);
  if (!document) return [];
  const { value } = document;
  const inside: Place = { ...place, document, chain: [...place.chain, file] };
  if (isList(value)) return readTaskList(context, inside, value);
  if (value === null) context.warnings.push({ message: `${file} has no tasks` });
  else
    context.problems.push(
      document.problem(document.start, `expected a list of tasks, found ${describe(value)}`),
    );
  return [];
}
