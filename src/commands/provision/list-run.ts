import type { Inventory } from '../../inventory/inventory.ts';
import { selectHosts } from '../../inventory/select.ts';
import { isList } from '../../lib/value.ts';
import type { Play, Playbook, Task, TaskNode } from '../../playbook/ast.ts';
import { isSelected } from '../../run/tags.ts';
import type { RunOptions } from './options.ts';

/** What `--list-hosts`, `--list-tasks` and `--list-tags` print: a block for each play. */
export function listRun(playbook: Playbook, inventory: Inventory, options: RunOptions): string {
  const lines: string[] = [`playbook: ${playbook.file}`];
  playbook.plays.forEach((play, index) => {
    const pattern = isList(play.hosts.value)
      ? play.hosts.value.map(String).join(',')
      : String(play.hosts.value);
    lines.push('', `  play #${index + 1} (${pattern}): ${play.name?.text ?? pattern}`);
    if (options.list.includes('hosts')) {
      const { hosts } = selectHosts(inventory, pattern, options.limit);
      lines.push(`    hosts (${hosts.length}):`, ...hosts.map((host) => `      ${host}`));
    }
    const tasks = tasksOf(play).filter((task) => isSelected(task, options));
    if (options.list.includes('tasks')) {
      lines.push('    tasks:');
      for (const task of tasks) {
        const name = task.name?.text ?? task.action.text;
        lines.push(
          `      ${task.role ? `${task.role.name} : ` : ''}${name}    TAGS: [${task.tags.join(', ')}]`,
        );
      }
    }
    if (options.list.includes('tags')) {
      lines.push(`    tags: [${[...new Set(tasks.flatMap((task) => task.tags))].sort().join(', ')}]`);
    }
  });
  return `${lines.join('\n')}\n`;
}

function tasksOf(play: Play): readonly Task[] {
  return [...play.preTasks, ...play.roleTasks, ...play.tasks, ...play.postTasks].flatMap(flatten);
}

function flatten(node: TaskNode): readonly Task[] {
  return node.kind === 'task' ? [node] : [...node.block, ...node.rescue, ...node.always].flatMap(flatten);
}
