import type { Step } from '../plan/action.ts';
import { instanceOf } from './carry-out.ts';

/** `stop-receiver on db2`. */
export function describe(step: Step): string {
  return `${step.name}${on(instanceOf(step.action))}`;
}

export function on(instance: string | undefined): string {
  return instance === undefined ? '' : ` on ${instance}`;
}

/** What a user is told of an error. A bug is told, too: in the middle of a change it must not end the program. */
export function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message === '' ? error.name : error.message;
  return String(error);
}
