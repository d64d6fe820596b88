import type { SourceLocation } from '../lib/errors.ts';
import type { Value } from '../lib/value.ts';
import { type BuiltGroup, setVariable } from './builder.ts';

/** Sets a group's variable, of which one is none: the group's priority. Returns what is wrong. */
export function setGroupVariable(
  group: BuiltGroup,
  name: Value,
  value: Value,
  at: SourceLocation,
): string | undefined {
  if (name !== 'ansible_group_priority') {
    setVariable(group, name, value, at);
    return undefined;
  }
  const priority = Number(value);
  if (!Number.isInteger(priority))
    return `ansible_group_priority: expected a whole number, found "${String(value)}"`;
  group.priority = priority;
  return undefined;
}
