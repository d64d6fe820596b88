import { setTimeout as wait } from 'node:timers/promises';

import { ServerFailure } from './failure.ts';
import { text } from './rows.ts';
import type { Limits } from './server.ts';
import type { Session } from './session.ts';
import type { Sessions } from './sessions.ts';

/** How often a statement is told to end: told between two statements, it ends nothing. */
const KILL_EVERY_MS = 100;
const NO_SUCH_THREAD = 1094;

export interface Undoable {
  /** The instance, for messages. */
  readonly name: string;
  readonly doing: string;
  /** They keep to the limits that they are given here: those know no signal, which would leave them to the server. */
  readonly statements: (session: Session, limits: Limits) => Promise<void>;
  readonly undo: string;
  /** How long a question on another connection may take. */
  readonly askMs: number;
}

/**
 * Runs statements that may wait for others. At the end of their time, and when the signal comes, they are ended on the
 * server; only when they have ended there is it taken back what they may have done, and looked at whether it is. A client
 * that merely goes away leaves its statement waiting: it would be carried out later.
 */
export async function runOrUndo(
  sessions: Pick<Sessions, 'with'>,
  { name, doing, statements, undo, askMs }: Undoable,
  limits: Limits,
): Promise<void> {
  const asking: Limits = { timeoutMs: askMs };
  await sessions.with({ timeoutMs: askMs, signal: limits.signal }, async (session) => {
    const stop = new AbortController();
    const onAbort = (): void => stop.abort(limits.signal?.reason);
    limits.signal?.addEventListener('abort', onAbort, { once: true });
    const timer = setTimeout(() => stop.abort(tooLong()), limits.timeoutMs);
    let failure: unknown;
    let isRunning = true;
    let ending: Promise<void> | undefined;
    const cannotEnd = new Promise<never>((_, reject) => {
      stop.signal.addEventListener('abort', () => {
        ending = keepEnding(session.id, () => isRunning);
        ending.catch((error: unknown) => {
          // Nobody else is to get a connection that still waits for something.
          session.destroy();
          reject(error);
        });
      });
    });
    // Its own end comes well after it was told to end, for servers that do not even do that.
    const work = statements(session, { timeoutMs: limits.timeoutMs * 2 + 2 * askMs });
    work.catch(() => {});
    try {
      await Promise.race([work, cannotEnd]);
    } catch (error) {
      failure = error;
    } finally {
      isRunning = false;
      clearTimeout(timer);
      limits.signal?.removeEventListener('abort', onAbort);
    }
    await ending;
    const why = stop.signal.aborted ? (stop.signal.reason as unknown) : failure;
    if (why === undefined) return;
    if (!session.isOpen) await endSession(session.id);
    await sessions.with(asking, async (other) => {
      await other.rows(`taking back: ${doing}`, undo, [], asking);
      const sql = 'SELECT @@GLOBAL.read_only AS flag';
      const [row] = await other.rows(`looking whether it was taken back: ${doing}`, sql, [], asking);
      if (['0', 'off'].includes(text(row, 'flag').toLowerCase())) return;
      const message = 'it was taken back, and is still in force';
      throw new ServerFailure(name, doing, { kind: 'error', alive: true, message });
    });
    throw why as Error;
  });

  function tooLong(): ServerFailure {
    const message = `it was not done within ${limits.timeoutMs} ms, and is taken back`;
    const hint =
      'a long transaction or a commit that waits for an acknowledgement holds it up: `failover status`';
    return new ServerFailure(name, doing, { kind: 'timeout', alive: true, message }, { hint });
  }

  async function keepEnding(id: number, isRunning: () => boolean): Promise<void> {
    const endsAt = performance.now() + askMs;
    while (isRunning() && performance.now() < endsAt) {
      await kill('KILL QUERY ?', id).catch(() => {});
      await wait(KILL_EVERY_MS);
    }
    if (isRunning()) await endSession(id);
  }

  /** The connection broke, and what it was told to do may still wait there. */
  async function endSession(id: number): Promise<void> {
    await kill('KILL CONNECTION ?', id);
    const sql = 'SELECT COUNT(*) AS count FROM information_schema.processlist WHERE id = ?';
    for (const endsAt = performance.now() + askMs; ;) {
      const [row] = await sessions.with(asking, (other) => other.rows('seeing it end', sql, [id], asking));
      if (text(row, 'count') === '0') return;
      if (performance.now() >= endsAt) {
        const message = `session ${id} was told to end and has not ended: what it does may still be done`;
        throw new ServerFailure(name, doing, { kind: 'timeout', alive: true, message });
      }
      await wait(KILL_EVERY_MS);
    }
  }

  async function kill(sql: string, id: number): Promise<void> {
    try {
      await sessions.with(asking, (other) => other.rows('ending a statement', sql, [id], asking));
    } catch (error) {
      if (!(error instanceof ServerFailure && error.errno === NO_SUCH_THREAD)) throw error;
    }
  }
}
