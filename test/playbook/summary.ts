import { Float, isDict, isList } from '../../src/lib/value.ts';
import type { Play, Playbook, RoleContext, TaskNode } from '../../src/playbook/ast.ts';

/** A playbook without positions and empty parts, as the expected results in the case files write it. */
export function summarise(playbook: Playbook): unknown {
  return playbook.plays.map(summarisePlay);
}

function summarisePlay(play: Play): unknown {
  const { directory: _, at: __, roles, inherited, ...rest } = play;
  const { vars: ___, ...keywords } = inherited;
  return plain({ ...keywords, ...rest, roles: roles.map(roleName) });
}

function roleName(role: RoleContext): string {
  return role.parent ? `${role.name} < ${roleName(role.parent)}` : role.name;
}

function plain(value: unknown): unknown {
  if (value instanceof Float) return value.value;
  if (isDict(value)) {
    return Object.fromEntries([...value].map(([key, item]) => [String(key), plain(item)]));
  }
  if (isList(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  if (isRole(value)) return roleName(value);
  if ('text' in value) return value.text;
  if ('value' in value) return plain(value.value);
  if ('values' in value) return plain(value.values);
  const entries = Object.entries(value)
    .filter(([key]) => key !== 'at' && key !== 'directory' && key !== 'playVars')
    .map(([key, item]) => [key, plain(item)] as const)
    .filter(([, item]) => !isEmpty(item));
  return Object.fromEntries(entries);
}

function isRole(value: object): value is RoleContext {
  return 'defaults' in value && 'params' in value;
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === false) return value === undefined;
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/** All tasks of a list, in order, those in blocks too. */
export function flatten(nodes: readonly TaskNode[]): readonly Extract<TaskNode, { kind: 'task' }>[] {
  return nodes.flatMap((node) =>
    node.kind === 'task' ? [node] : flatten([...node.block, ...node.rescue, ...node.always]),
  );
}
