import type { JournalEntry } from '../coordination/records.ts';
import type { Coordination } from '../coordination/coordination.ts';

/** Writes one entry of the journal again and again while it grows. */
export interface JournalKeeper {
  /** The entry as it is now; it is written soon, and only the newest when writing is slow. */
  keep(entry: JournalEntry): void;
  /** Nothing is written until `resume`: writing would cost time while writes stand still. */
  pause(): void;
  resume(): void;
  /** Everything that was kept is written. Rejects with the first failure to write, if there was one. */
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
