import { TaskError, explainError } from './task-error.ts';
import { isDict, isList, type Value } from '../lib/value.ts';
import type { Layer, Scope } from '../variables/scope.ts';
import type { Task } from '../playbook/ast.ts';
import { holds } from './prepare.ts';

/** One pass of a task: the variables it sees, and what its results are labelled with. */
export interface Item {
  readonly scope: Scope;
  /** Undefined for a task without a loop. */
  readonly value?: Value;
  readonly layer?: Layer;
  readonly label?: string | undefined;
}

/** Whether the list can be worked out now without running anything. */
export function isLoopReady(task: Task, scope: Scope): boolean {
  return !task.loop || loopItems(task, scope).length <= 1000;
}

/** The passes of a task: one without a loop, else one for each item. */
export function itemScopes(task: Task, scope: Scope): readonly Item[] {
  const { loop } = task;
  if (!loop) return [{ scope }];
  const items = loopItems(task, scope);
  return items.map((value, index): Item => {
    const values = new Map<Value, Value>([
      [loop.variable, value],
      ['ansible_loop_var', loop.variable],
    ]);
    if (loop.indexVariable !== undefined) {
      values.set(loop.indexVariable, index);
      values.set('ansible_index_var', loop.indexVariable);
    }
    if (loop.extended) values.set('ansible_loop', extendedLoop(items, index));
    const layer: Layer = { values, written: false };
    const inner = scope.with([layer]);
    return {
      scope: inner,
      value,
      layer,
      get label() {
        if (!loop.label) return labelOf(value);
        return labelOf(inner.render(loop.label.text, loop.label.at));
      },
    };
  });
}

/**
 * The passes of a task, or none when its condition does not hold and the list cannot be worked out: it may not exist
 * then.
 */
export function itemsOrSkip(task: Task, scope: Scope): readonly Item[] {
  try {
    return itemScopes(task, scope);
  } catch (error) {
    if (error instanceof TaskError && task.when.length > 0 && !holds(task.when, scope, 'when')) return [];
    throw error;
  }
}

function extendedLoop(items: readonly Value[], index: number): Value {
  const entries: [Value, Value][] = [
    ['allitems', items],
    ['index', index + 1],
    ['index0', index],
    ['revindex', items.length - index],
    ['revindex0', items.length - index - 1],
    ['first', index === 0],
    ['last', index === items.length - 1],
    ['length', items.length],
  ];
  if (index > 0) entries.push(['previtem', items[index - 1] ?? null]);
  if (index < items.length - 1) entries.push(['nextitem', items[index + 1] ?? null]);
  return new Map(entries);
}

/** How an item appears in reports: text as it is, anything else as JSON, both cut short. */
function labelOf(value: Value): string {
  const text =
    typeof value === 'string'
      ? value
      : JSON.stringify(value, (_, item: unknown) => (item instanceof Map ? Object.fromEntries(item) : item));
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}

function loopItems(task: Task, scope: Scope): readonly Value[] {
  const { loop } = task;
  if (!loop) return [];
  const { environment } = scope;
  try {
    const over = scope.render(loop.over.value, loop.over.at);
    if (loop.kind === 'loop') {
      if (!isList(over))
        throw new TaskError(
          `loop: expected a list, found ${isDict(over) ? 'a dictionary (use dict2items)' : JSON.stringify(over)}`,
        );
      return over;
    }
    const terms = isList(over) ? over : [over];
    if (!environment.lookup) throw new TaskError(`with_${loop.kind}: lookups are not available`);
    // with_items flattens one level, as its lookup does.
    const found = environment.lookup(loop.kind, terms, new Map());
    return isList(found) ? found : [found];
  } catch (error) {
    throw explainError(error, loop.over.at, 'loop');
  }
}
