import { mapLimit } from '../lib/concurrency.ts';
import { clearHandlers } from '../facts/due-handlers.ts';
import { TransportError } from '../transport/transport.ts';
import { noteOf } from './ahead.ts';
import type { PlayRun } from './world.ts';

/** Takes the handlers that ran off the notes on the targets. */
export async function clearNotes(run: PlayRun): Promise<void> {
  const { world } = run;
  const done = run.batch.filter((host) => host.notes.size > 0 && host.notified.size === 0);
  await mapLimit(done, world.settings.forks, async (host) => {
    for (const [key, { target, actor }] of host.notes) {
      if (target.state === 'unreachable') continue;
      try {
        await target.session.script(actor, clearHandlers(noteOf(run, host), [...host.owed]));
      } catch (error) {
        if (!(error instanceof TransportError)) throw error;
        // The note stays, so the handlers run once more with the next run; the next task says that the host is lost.
        continue;
      }
      if (host.owed.size === 0) host.notes.delete(key);
    }
  });
}
