import type { Task } from '../playbook/ast.ts';
import { playFlag } from './play-value.ts';
import type { PlayRun } from './world.ts';

/**
 * Gathering facts at a play's start is a task like any other and inherits all that the play says, with two exceptions
 * of Ansible's: it runs whatever tags are asked for unless the play has tags of its own, and it is never done once for
 * all, since each host has facts of its own.
 */
export function gatheringTask(run: PlayRun): Task | undefined {
  const { play } = run;
  const [host] = run.batch;
  if (!host || playFlag(run, host, play.gatherFacts) === false) return undefined;
  const { runOnce: _, ...inherited } = play.inherited;
  const at = play.gatherFacts?.at ?? play.at;
  return {
    ...inherited,
    kind: 'task',
    name: { text: 'Gathering Facts', at },
    action: { text: 'ansible.builtin.setup', at },
    args: { value: new Map(), at },
    tags: inherited.tags.length === 0 ? ['always'] : inherited.tags,
    notify: [],
    listen: [],
    implicit: true,
    at,
  };
}
