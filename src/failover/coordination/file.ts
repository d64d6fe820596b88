import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

import { UserError } from '../../lib/errors.ts';
import { readLockOwner, tryLock, type FileLock, type LockOwner } from '../../lib/lock.ts';
import type { LeaseOwner } from './records.ts';
import type { Coordination, Lease } from './coordination.ts';
import type { Memory } from '../cluster/memory.ts';
import { appendLine, makeDirectory, readIfThere, readLines, replaceFile } from '../../lib/durable.ts';
import { EMPTY_MEMORY } from './empty-memory.ts';
import { stamped } from './record-version.ts';
import { heldBySomebody, leaseLost } from './lease-errors.ts';
import { leaseClock, type Moment, now } from './lease-clock.ts';
import { JOURNAL_LENGTH } from './coordination.ts';

export interface FileCoordinationOptions {
  /** `<inventory>/.understudy` for an operator, `/var/lib/understudy` for a daemon. Created when missing. */
  readonly directory: string;
  readonly cluster: string;
  /** The size in bytes from which the journal is shortened. */
  readonly journalBytes?: number | undefined;
  /** How long the lock stays held after its holder was stopped. */
  readonly leaseMs?: number | undefined;
}

/**
 * A holder that was stopped no longer renews the lock. Its lease expires before another process may take the lock
 * over.
 */
const LEASE_MS = 12_000;
const SAFE_PART = 0.8;
const RENEW_MS = 1000;
/** A write takes milliseconds; a process that waits longer than this waits for one that hangs. */
const WRITE_LOCK_LIMIT_MS = 5000;

/**
 * Keeps lock, epoch, memory and journal in files, for the processes of one machine. Each file is replaced whole and
 * synced, so that the next process can read the files wherever one was killed. A lock whose owner died or was stopped
 * is taken over.
 */
export function fileCoordination(options: FileCoordinationOptions): Coordination {
  const directory = join(options.directory, encodeURIComponent(options.cluster).replaceAll('.', '%2E'));
  const files = {
    lock: join(directory, 'lock'),
    writing: join(directory, 'writing'),
    epoch: join(directory, 'epoch'),
    memory: join(directory, 'memory.json'),
    journal: join(directory, 'journal.ndjson'),
  };
  const { cluster, journalBytes = 4 * 1024 * 1024, leaseMs = LEASE_MS } = options;

  // The schemas of the records load while the caller connects to the instances.
  const reading = import('./records.ts');
  const readMemory = async (): Promise<() => Memory> => {
    const { parseMemory } = await reading;
    return () => {
      const text = readIfThere(files.memory);
      return text === undefined ? EMPTY_MEMORY : parseMemory(text, files.memory);
    };
  };

  /** Runs `work` in one process at a time. `work` is synchronous, so the lock is held for milliseconds. */
  const exclusively = async <T>(work: () => T): Promise<T> => {
    const deadline = performance.now() + WRITE_LOCK_LIMIT_MS;
    for (;;) {
      makeDirectory(directory);
      const attempt = tryLock(files.writing, 'writing');
      if (attempt.taken) {
        try {
          return work();
        } finally {
          attempt.lock.release();
        }
      }
      if (performance.now() > deadline) throw stuckWriter(files.writing, attempt.holder);
      await wait(5);
    }
  };

  const nextEpoch = (memory: Memory): number => {
    const text = readIfThere(files.epoch);
    const last = text === undefined ? 0 : Number(text);
    if (!Number.isSafeInteger(last) || last < 0 || text === '') {
      throw new UserError({
        message: `${files.epoch} cannot be read: it should hold one whole number`,
        hint: `write the largest epoch that \`failover history\` shows into it`,
      });
    }
    // When one of the two files was lost, the other one is enough.
    const epoch = Math.max(last, memory.epoch) + 1;
    replaceFile(files.epoch, `${epoch}\n`);
    return epoch;
  };

  return translated(directory, {
    acquire: async (owner) => {
      const read = await readMemory();
      makeDirectory(directory);
      const sent = now();
      const attempt = tryLock(files.lock, JSON.stringify(stamped(owner)), leaseMs);
      if (!attempt.taken) {
        throw heldBySomebody(cluster, leaseOwner(attempt.holder), waitHint(files.lock, attempt.holder));
      }
      try {
        return fileLease({
          cluster,
          path: files.lock,
          lock: attempt.lock,
          epoch: nextEpoch(read()),
          sent,
          leaseMs,
        });
      } catch (error) {
        attempt.lock.release();
        throw error;
      }
    },
    holder: async () => leaseOwner(readLockOwner(files.lock)),
    memory: async () => (await readMemory())(),
    remember: async (change) => {
      const read = await readMemory();
      await exclusively(() =>
        replaceFile(files.memory, `${JSON.stringify(stamped(change(read())), undefined, 2)}\n`),
      );
    },
    write: (entry) =>
      exclusively(() => {
        if (appendLine(files.journal, JSON.stringify(stamped(entry))) <= journalBytes) return;
        const kept = latestLines(files.journal).slice(-JOURNAL_LENGTH);
        // Half of the size stays free, so that not every entry rewrites the file.
        while (kept.length > 1 && sizeOf(kept) > journalBytes / 2) kept.shift();
        replaceFile(files.journal, kept.map(({ line }) => `${line}\n`).join(''));
      }),
    history: async (limit) => {
      const { parseEntry } = await reading;
      return latestLines(files.journal)
        .reverse()
        .slice(0, limit)
        .map(({ line, number }) => parseEntry(line, `${files.journal}, line ${number}`));
    },
    close: async () => {},
  });
}

interface HeldLock {
  readonly cluster: string;
  readonly path: string;
  readonly lock: FileLock;
  readonly epoch: number;
  /** When the lock was requested. */
  readonly sent: Moment;
  readonly leaseMs: number;
}

function fileLease({ cluster, path, lock, epoch, sent, leaseMs }: HeldLock): Lease {
  const clock = leaseClock(() => leaseLost(cluster, 'this process stood still for too long'));
  const safeMs = leaseMs * SAFE_PART;
  let released = false;
  clock.renew(sent, safeMs);
  const renew = (): void => {
    const asked = now();
    if (!clock.valid()) return;
    if (lock.renew()) clock.renew(asked, safeMs);
    else clock.end(leaseLost(cluster, `${path} is no longer ours`));
  };
  const timer = setInterval(renew, Math.min(RENEW_MS, leaseMs / 4)).unref();
  return {
    epoch,
    signal: clock.signal,
    confirm: async () => {
      if (clock.valid() && lock.held()) return;
      const why = released ? 'it was given back' : `${path} is no longer ours`;
      clock.end(leaseLost(cluster, why));
      throw clock.signal.reason;
    },
    release: async () => {
      released = true;
      clearInterval(timer);
      clock.end(leaseLost(cluster, 'it was given back'));
      lock.release();
    },
  };
}

interface JournalLine {
  readonly line: string;
  /** In the file, from 1 on. */
  readonly number: number;
}

/** The last line of each entry, in the order of their first lines. Lines of a newer release are kept unchanged. */
function latestLines(path: string): JournalLine[] {
  const byId = new Map<string, JournalLine>();
  for (const [index, line] of readLines(path).entries()) {
    byId.set(idOf(line) ?? `line ${index + 1}`, { line, number: index + 1 });
  }
  return [...byId.values()];
}

function idOf(line: string): string | undefined {
  try {
    const { id } = JSON.parse(line) as { readonly id?: unknown };
    return typeof id === 'string' ? id : undefined;
  } catch {
    return undefined;
  }
}

function sizeOf(kept: readonly JournalLine[]): number {
  return kept.reduce((sum, { line }) => sum + Buffer.byteLength(line) + 1, 0);
}

function leaseOwner(owner: LockOwner | undefined): LeaseOwner | undefined {
  if (!owner) return undefined;
  try {
    const { who, purpose } = JSON.parse(owner.command) as Partial<LeaseOwner>;
    if (typeof who === 'string' && typeof purpose === 'string') return { who, purpose };
  } catch {
    // The lock is held, whatever the file contains.
  }
  return { who: owner.user, purpose: owner.command };
}

function waitHint(path: string, holder: LockOwner | undefined): string {
  if (!holder) return 'try again';
  const hint = `wait for process ${holder.pid} on ${holder.host}, which began ${holder.since}, or end it`;
  return holder.host === hostname() ? hint : `${hint}; if that machine is gone, remove ${path}`;
}

function stuckWriter(path: string, holder: LockOwner | undefined): UserError {
  const who = holder ? `process ${holder.pid} on ${holder.host}` : 'another process';
  return new UserError({
    message: `${who} has been writing beside ${path} for too long`,
    hint: 'end it if it hangs',
  });
}

/** Turns errors of the file system into `UserError`s: the user has to fix the directory. */
function translated(directory: string, coordination: Coordination): Coordination {
  const attempt = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof UserError || typeof (error as NodeJS.ErrnoException).syscall !== 'string')
        throw error;
      throw new UserError(
        {
          message: `cannot keep the state of the failover in ${directory}: ${(error as Error).message}`,
          hint: 'the lock, the journal and what was set at run time are files there',
        },
        { cause: error },
      );
    }
  };
  return {
    acquire: (owner) => attempt(() => coordination.acquire(owner)),
    holder: () => attempt(() => coordination.holder()),
    memory: () => attempt(() => coordination.memory()),
    remember: (change) => attempt(() => coordination.remember(change)),
    write: (entry) => attempt(() => coordination.write(entry)),
    history: (limit) => attempt(() => coordination.history(limit)),
    close: () => coordination.close(),
  };
}
