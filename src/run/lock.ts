import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';

import { UserError } from '../lib/errors.ts';

/** Who holds a lock. */
interface Owner {
  readonly pid: number;
  /** When the process started, in the kernel's ticks: tells it from a later process with the same number. */
  readonly started: string;
  readonly host: string;
  readonly user: string;
  readonly command: string;
  readonly since: string;
}

export interface RunLock {
  release(): void;
}

/**
 * Takes the lock of an inventory, so that two runs do not work on the same hosts at once. The lock names its owner;
 * one whose owner is gone (killed, or the machine rebooted) is taken over.
 */
export function takeLock(inventoryDirectory: string, command: string): RunLock {
  const path = join(inventoryDirectory, '.understudy.lock');
  const own: Owner = {
    pid: process.pid,
    started: startOf(process.pid) ?? '',
    host: hostname(),
    user: userInfo().username,
    command,
    since: new Date().toISOString(),
  };
  const mine = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    writeFileSync(mine, `${JSON.stringify(own)}\n`, { mode: 0o644 });
  } catch (error) {
    throw new UserError(
      {
        message: `cannot lock the inventory: ${(error as Error).message}`,
        hint: `runs that change hosts keep a lock file in ${inventoryDirectory}`,
      },
      { cause: error },
    );
  }
  try {
    for (let attempt = 0; attempt < 5; attempt++) {
      try {
        // A link is made whole or not at all, and never replaces: exactly one of many gets it.
        linkSync(mine, path);
        return { release: () => releaseLock(path, own) };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const holder = readOwner(path);
      if (holder && isAlive(holder)) throw new UserError(heldBy(path, holder));
      // The one who moves the stale lock away is the one who may remove it.
      const stale = `${mine}.stale`;
      try {
        renameSync(path, stale);
        rmSync(stale, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
    throw new UserError(`the lock ${path} changes hands all the time; try again`);
  } finally {
    rmSync(mine, { force: true });
  }
}

function releaseLock(path: string, own: Owner): void {
  const holder = readOwner(path);
  if (holder?.pid === own.pid && holder.started === own.started && holder.host === own.host)
    rmSync(path, { force: true });
}

function readOwner(path: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Owner;
  } catch {
    // Gone in the meantime, or not a lock of ours any more: either way nobody holds it.
    return undefined;
  }
}

/** Another machine's process cannot be looked at: it counts as alive, and the message says how to remove its lock. */
function isAlive(owner: Owner): boolean {
  if (owner.host !== hostname()) return true;
  return startOf(owner.pid) === owner.started;
}

function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in parentheses, and may hold anything.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    try {
      process.kill(pid, 0);
      return '';
    } catch {
      return undefined;
    }
  }
}

function heldBy(path: string, holder: Owner): { message: string; hint: string } {
  const elsewhere = holder.host === hostname() ? '' : ` If that machine is gone, remove ${path}.`;
  return {
    message: `another run holds the lock of this inventory: "${holder.command}" by ${holder.user}@${holder.host}, process ${holder.pid}, since ${holder.since}`,
    hint: `wait for it to end, or end it; a lock whose process is gone is taken over by itself.${elsewhere}`,
  };
}
