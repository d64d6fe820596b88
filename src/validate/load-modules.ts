import { loadModules } from '../modules/find-module.ts';
import type { TaskNode } from '../playbook/ast.ts';

/** Loads the code of the modules that these tasks name, those in blocks too. */
export async function loadModulesOf(nodes: readonly TaskNode[]): Promise<void> {
  await loadModules(nodes.flatMap(actionsOf));
}

function actionsOf(node: TaskNode): readonly string[] {
  if (node.kind === 'task') return [node.action.text];
  return [...node.block, ...node.rescue, ...node.always].flatMap(actionsOf);
}
