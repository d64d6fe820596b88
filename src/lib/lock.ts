import { createHash, randomBytes } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';

/** Who holds a lock. */
export interface LockOwner {
  readonly pid: number;
  /** When the process started, in the kernel's ticks: tells it from a later process with the same number. */
  readonly started: string;
  readonly host: string;
  readonly user: string;
  readonly command: string;
  readonly since: string;
  /** It renews the lock at least this often, in milliseconds; one that does not was stopped, and has lost it. */
  readonly leaseMs?: number | undefined;
}

export interface FileLock {
  /** Whether the file still says that we have it: somebody may have removed it by hand. */
  held(): boolean;
  /** Says that the owner goes on, when it still has the lock; whether it has. */
  renew(): boolean;
  release(): void;
}

export type LockAttempt =
  | { readonly taken: true; readonly lock: FileLock }
  /** `holder` is undefined when the lock changed hands all the time. */
  | { readonly taken: false; readonly holder: LockOwner | undefined };

/**
 * Tries to take the lock that the file at `path` is. One whose owner is gone (killed, or the machine rebooted) is
 * taken over, and so is one of this machine that was not renewed within its `leaseMs`. Throws the file system's own error
 * when no file can be made there.
 */
export function tryLock(path: string, command: string, leaseMs?: number): LockAttempt {
  const unique = randomBytes(8).toString('hex');
  const own: LockOwner & { readonly unique: string } = {
    pid: process.pid,
    started: startOf(process.pid) ?? '',
    host: hostname(),
    user: userName(),
    command,
    since: new Date().toISOString(),
    ...(leaseMs === undefined ? {} : { leaseMs }),
    unique,
  };
  const text = `${JSON.stringify(own)}\n`;
  const mine = `${path}.${process.pid}.${unique}`;
  writeFileSync(mine, text, { mode: 0o644 });
  try {
    for (let attempt = 0; attempt < 20; attempt++) {
      try {
        // A link is made whole or not at all, and never replaces: exactly one of many gets it.
        linkSync(mine, path);
        return { taken: true, lock: fileLock(path, text) };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const found = readText(path);
      if (found === undefined) continue;
      const holder = parseOwner(found);
      if (holder && isAlive(holder, path)) return { taken: false, holder };
      if (replaceStale(path, found, mine, command)) return { taken: true, lock: fileLock(path, text) };
    }
    return { taken: false, holder: readLockOwner(path) };
  } finally {
    rmSync(mine, { force: true });
  }
}

/** Who holds the lock at `path`; undefined when nobody that lives does. */
export function readLockOwner(path: string): LockOwner | undefined {
  const text = readText(path);
  const owner = text === undefined ? undefined : parseOwner(text);
  return owner && isAlive(owner, path) ? owner : undefined;
}

/**
 * Puts our lock in the place of the one that a dead process left. A lock named after that very text guards the
 * place, so that a slow one who saw the same dead owner cannot remove the lock of the one who was faster.
 */
function replaceStale(path: string, stale: string, mine: string, command: string): boolean {
  const guard = tryLock(`${path}.${createHash('sha256').update(stale).digest('hex').slice(0, 16)}`, command);
  if (!guard.taken) return false;
  try {
    if (readText(path) !== stale) return false;
    renameSync(mine, path);
    return true;
  } finally {
    guard.lock.release();
  }
}

function fileLock(path: string, text: string): FileLock {
  const held = (): boolean => readText(path) === text;
  return {
    held,
    renew: () => {
      if (!held()) return false;
      const now = new Date();
      utimesSync(path, now, now);
      return held();
    },
    release: () => {
      if (held()) rmSync(path, { force: true });
    },
  };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** What is not a lock of ours has no owner. */
function parseOwner(text: string): LockOwner | undefined {
  try {
    const owner = JSON.parse(text) as LockOwner | null;
    return typeof owner?.pid === 'number' && typeof owner.host === 'string' ? owner : undefined;
  } catch {
    return undefined;
  }
}

/** Another machine's process cannot be looked at: it counts as alive. */
function isAlive(owner: LockOwner, path: string): boolean {
  if (owner.host !== hostname()) return true;
  return startOf(owner.pid) === owner.started && !isExpired(owner, path);
}

/** A process that was stopped (SIGSTOP, a debugger) lives, and does nothing. */
function isExpired({ leaseMs }: LockOwner, path: string): boolean {
  if (leaseMs === undefined) return false;
  try {
    return Date.now() - statSync(path).mtimeMs > leaseMs;
  } catch {
    // It was given back meanwhile.
    return false;
  }
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

/** An account that the system does not know has no name, and is no reason to fail. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? '');
  }
}
