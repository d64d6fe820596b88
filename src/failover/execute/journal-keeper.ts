import type { JournalEntry } from '../coordination/records.ts';
import type { Coordination } from '../coordination/coordination.ts';

/** Writes one entry of the journal again and again while it grows. */
export interface JournalKeeper {
  /** Takes the entry as it is now. It is written soon; when writing is slow, only the newest one is written. */
  keep(entry: JournalEntry): void;
  /** Writes nothing until `resume`: writing would cost time while writes are blocked. */
  pause(): void;
  resume(): void;
  /** Writes everything that was kept. Rejects with the first failure to write, if there was one. */
  flush(): Promise<void>;
}

export function journalKeeper(coordination: Pick<Coordination, 'write'>): JournalKeeper {
  let latest: JournalEntry | undefined;
  let writing: Promise<void> | undefined;
  let isPaused = false;
  let failure: unknown;

  const settled = async (): Promise<void> => {
    const current = writing;
    if (!current) return;
    await current;
    await settled();
  };
  const write = (): void => {
    if (writing || isPaused || !latest) return;
    const entry = latest;
    latest = undefined;
    writing = coordination
      .write(entry)
      .catch((error: unknown) => {
        failure ??= error;
      })
      .finally(() => {
        writing = undefined;
        write();
      });
  };

  return {
    keep(entry) {
      latest = entry;
      write();
    },
    pause() {
      isPaused = true;
    },
    resume() {
      isPaused = false;
      write();
    },
    async flush() {
      isPaused = false;
      write();
      await settled();
      if (failure !== undefined) throw failure as Error;
    },
  };
}
