import { hostname } from 'node:os';
import { join } from 'node:path';

import { UserError } from '../../lib/errors.ts';
import { tryLock, type LockAttempt, type LockOwner } from '../../lib/lock.ts';

export interface RunLock {
  release(): void;
}

/**
 * Takes the lock of an inventory, so that two runs do not work on the same hosts at once. The lock names its owner;
 * one whose owner is gone (killed, or the machine rebooted) is taken over.
 */
export function takeLock(inventoryDirectory: string, command: string): RunLock {
  const path = join(inventoryDirectory, '.understudy.lock');
  let attempt: LockAttempt;
  try {
    attempt = tryLock(path, command);
  } catch (error) {
    throw new UserError(
      {
        message: `cannot lock the inventory: ${(error as Error).message}`,
        hint: `runs that change hosts keep a lock file in ${inventoryDirectory}`,
      },
      { cause: error },
    );
  }
  if (attempt.taken) return attempt.lock;
  throw new UserError(
    attempt.holder ? heldBy(path, attempt.holder) : `the lock ${path} changes hands all the time; try again`,
  );
}

function heldBy(path: string, holder: LockOwner): { message: string; hint: string } {
  const elsewhere = holder.host === hostname() ? '' : ` If that machine is gone, remove ${path}.`;
  return {
    message: `another run holds the lock of this inventory: "${holder.command}" by ${holder.user}@${holder.host}, process ${holder.pid}, since ${holder.since}`,
    hint: `wait for it to end, or end it; a lock whose process is gone is taken over by itself.${elsewhere}`,
  };
}
