import { setTimeout as wait } from 'node:timers/promises';

import { UserError } from '../../lib/errors.ts';
import type { Action, Step } from '../plan/action.ts';
import { instanceOf } from './carry-out.ts';
import type { ChangeRecord } from './change-record.ts';
import type { Done } from './outcome.ts';
import { messageOf, on } from './words.ts';

/** Taking back must not hang when the failure came from a server that hangs. */
const LEAST_MS = 2000;
const MOST_MS = 10_000;
/** Each action may be repeated: a lost connection may come back. */
const TRIES = 3;
const RETRY_PAUSE_MS = 50;

/** A step that may have had an effect, whatever became of it. */
export interface Begun {
  readonly step: Step;
  /** Its place in the record. */
  readonly index: number;
}

export interface TakeBackOptions {
  readonly record: ChangeRecord;
  readonly perform: (action: Action, limitMs: number) => Promise<Done>;
  /** Rejects when the lease is lost: another tool may have made another instance writable since. */
  readonly confirm: () => Promise<void>;
  /** Why nothing may be done any more; undefined while the lease is in hand. */
  readonly whyLost: () => string | undefined;
  readonly takenBack: (action: Action, done: Done) => void;
}

/** Takes back what was begun, the last step first. Returns a sentence for each step that could not be taken back. */
export async function takeBack(
  begun: readonly Begun[],
  options: TakeBackOptions,
): Promise<readonly string[]> {
  const { record } = options;
  const left: string[] = [];
  for (const { step, index } of [...begun].reverse()) {
    const lost = options.whyLost();
    if (lost !== undefined) return [...left, lost];
    const was = record.stepOf(index);
    if (!step.undo || !was) continue;
    let message: string | undefined;
    for (const action of step.undo) {
      try {
        await takeBackOne(action, step.limitMs, options);
      } catch (error) {
        message = messageOf(error);
        left.push(`${action.do}${on(instanceOf(action))}: ${message}`);
        // The next action may depend on this one: a receiver that starts deletes a backlog that is not applied
        // (MariaDB).
        break;
      }
    }
    const status = message === undefined ? 'undone' : 'failed';
    record.note(index, { ...was, instance: was.instance, status, message: message ?? was.message });
  }
  return left;
}

async function takeBackOne(action: Action, limitMs: number, options: TakeBackOptions): Promise<void> {
  if (action.do === 'make-writable') await options.confirm();
  const limit = Math.min(MOST_MS, Math.max(LEAST_MS, limitMs));
  for (let attempt = 1; ; attempt++) {
    try {
      options.takenBack(action, await options.perform(action, limit));
      return;
    } catch (error) {
      if (!(error instanceof UserError) || attempt === TRIES) throw error;
      await wait(RETRY_PAUSE_MS);
    }
  }
}
