import { keyword } from './prepare.ts';
import { hostRun } from './targets.ts';
import type { Turn } from './turn.ts';
import type { HostRun } from './world.ts';

/** The host that does a task for another one. */
export function delegateOf({ run, task, scope }: Turn): HostRun | undefined {
  const name = keyword(task.delegateTo, scope, 'delegate_to');
  return name === undefined || name === null ? undefined : hostRun(run.world, String(name));
}
