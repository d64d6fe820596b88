import type { Step } from '../plan/action.ts';
import { instanceOf } from './carry-out.ts';

/** `stop-receiver on db2`. */
export function describe(step: Step): string {
  return `${step.name}${on(instanceOf(step.action))}`;
}

export function on(instance: string | undefined): string {
  return instance === undefined ? '' : ` on ${instance}`;
}

/**
 * A receiver that was stopped starts again with its server. While nothing has fenced the old primary, a replica that
 * still has it as its source can then acknowledge its writes, beside those of the new primary.
 */
export function mayAcknowledge(replica: string, old: string, fresh: string): string {
  return `${replica} still has ${old} as its source, and ${old} is not fenced: when ${replica} receives again, ${old} may acknowledge writes that are lost; stop ${old}, or \`failover relocate ${replica} ${fresh}\``;
}

/** What a user is told of an error. A bug is told, too: in the middle of a change it must not end the program. */
export function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message === '' ? error.name : error.message;
  return String(error);
}
