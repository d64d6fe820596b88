import type { Play, Task, TaskNode } from '../../playbook/ast.ts';
import { hostsOfPlays } from '../../run/run-playbook.ts';
import { isSelected } from '../../run/tags.ts';
import type { RunOptions } from './options.ts';
import { type Loaded, runSettings } from './run-load.ts';

/** What `--list-hosts`, `--list-tasks` and `--list-tags` print: a block for each play. */
export function listRun(loaded: Loaded, options: RunOptions): string {
  const { playbook } = loaded;
  const lines: string[] = [`playbook: ${playbook.file}`];
  const hostsOf = hostsOfPlays({ ...loaded, settings: runSettings(options), emit: () => {} });
  playbook.plays.forEach((play, index) => {
    const { pattern = '', hosts = [] } = hostsOf[index] ?? {};
    lines.push('', `  play #${index + 1} (${pattern}): ${play.name?.text ?? pattern}`);
    if (options.list.includes('hosts')) {
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
