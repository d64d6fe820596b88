import { isDict, type Dict, type Value } from '../lib/value.ts';
import { findModule, moduleName } from '../modules/find-module.ts';
import type { Task } from '../playbook/ast.ts';

/**
 * A task's arguments, and those that `module_defaults` gives its module. Of several places the innermost that names
 * the module counts, whole. Groups (`group/…`) are of modules that there are not here.
 */
export function withModuleDefaults(task: Task, defaults: readonly Value[], given: Dict): Dict {
  const action = nameOf(task.action.text);
  const rows = defaults.flatMap((block) => (isDict(block) ? [...block] : []));
  const row = rows.findLast(([name]) => nameOf(String(name)) === action)?.[1];
  if (!isDict(row) || row.size === 0) return given;
  const module = moduleName(task.action.text) === undefined ? undefined : findModule(task.action.text);
  const names = new Map(
    Object.entries(module?.aliases ?? {}).flatMap(([name, spellings]) =>
      spellings.map((spelling): [string, string] => [spelling, name]),
    ),
  );
  const canonical = (name: Value): string => names.get(String(name)) ?? String(name);
  const taken = new Set([...given.keys()].map(canonical));
  return new Map([...[...row].filter(([name]) => !taken.has(canonical(name))), ...given]);
}

function nameOf(action: string): string {
  return moduleName(action) ?? action.replace(/^ansible\.(builtin|legacy)\./, '');
}
