import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Endpoint } from './config.ts';
import { connectToAny, type Credentials, type Session } from './connect.ts';
import { errorCode, judge, Unavailable } from './failure.ts';

export interface PoolOptions {
  readonly endpoints: readonly Endpoint[];
  readonly credentials: Credentials;
  readonly size: number;
  /** A connection older than this is replaced, so that load and roles spread again; in milliseconds. */
  readonly maxAgeMs: number;
}

/** Connections to one role of the database, behind any of several equal endpoints. */
export interface Pool {
  /** Runs work on a connection, again and elsewhere as long as that may help and the deadline allows. */
  run<Result>(deadline: number, work: (session: Session) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

const PAUSE_MS = { first: 30, most: 300 };
/** How often a connection of its own asks whether the way to the database is still there, and for how long. */
const HEARTBEAT_MS = { interval: 500, limit: 800 };

export function createPool(options: PoolOptions): Pool {
  let endpoints = options.endpoints;
  let open = 0;
  const closing = new AbortController();
  const busy = new Set<Session>();
  const idle: Session[] = [];
  const waiting: (() => void)[] = [];

  const discard = (session: Session): void => {
    open--;
    session.connection.destroy();
    waiting.shift()?.();
  };
  const release = (session: Session): void => {
    if (Date.now() - session.openedAt > options.maxAgeMs) return discard(session);
    idle.push(session);
    waiting.shift()?.();
  };
  /** What no longer answers is left, with all connections through it, and tried last from now on. */
  const avoid = (endpoint: Endpoint): void => {
    for (const session of busy) if (session.endpoint === endpoint) abort(session);
    for (const session of idle.filter((each) => each.endpoint === endpoint)) {
      idle.splice(idle.indexOf(session), 1);
      discard(session);
    }
    endpoints = [...endpoints.filter((each) => each !== endpoint), endpoint];
  };
  const acquire = async (deadline: number): Promise<Session> => {
    for (;;) {
      const session = idle.pop();
      if (session && Date.now() - session.openedAt > options.maxAgeMs) {
        discard(session);
        continue;
      }
      if (session) return session;
      if (open < options.size) break;
      await turn(waiting, deadline);
    }
    open++;
    try {
      const session = await connectToAny(endpoints, options.credentials);
      // What answered first is asked first from now on.
      endpoints = [session.endpoint, ...endpoints.filter((each) => each !== session.endpoint)];
      return session;
    } catch (error) {
      open--;
      waiting.shift()?.();
      throw error;
    }
  };

  const attempt = async <Result>(
    deadline: number,
    work: (session: Session) => Promise<Result>,
  ): Promise<Result> => {
    const session = await acquire(deadline);
    busy.add(session);
    try {
      const result = await work(session).finally(() => busy.delete(session));
      release(session);
      return result;
    } catch (error) {
      if (judge(error) !== 'elsewhere') release(session);
      else {
        discard(session);
        if (errorCode(error) === 'PROTOCOL_SEQUENCE_TIMEOUT') avoid(session.endpoint);
      }
      throw error;
    }
  };

  /** A balancer that lost its power says nothing; only asking tells it from a slow answer. */
  const watch = async (): Promise<void> => {
    let session: Session | undefined;
    while (!closing.signal.aborted) {
      await sleep(HEARTBEAT_MS.interval, undefined, { ref: false });
      try {
        if (open > 0) session ??= await connectToAny(endpoints, options.credentials);
        if (session) await within(HEARTBEAT_MS.limit, session.connection.ping());
      } catch {
        if (session) {
          avoid(session.endpoint);
          session.connection.destroy();
        }
        session = undefined;
      }
    }
    session?.connection.destroy();
  };
  void watch();

  return {
    async run(deadline, work) {
      for (let pause = PAUSE_MS.first; ; pause = Math.min(pause * 2, PAUSE_MS.most)) {
        try {
          return await attempt(deadline, work);
        } catch (error) {
          if (judge(error) === 'final') throw error;
          if (Date.now() + pause > deadline) throw new Unavailable(error);
          await sleep(pause * (0.5 + Math.random() / 2));
        }
      }
    },
    async close() {
      closing.abort();
      await Promise.allSettled(idle.splice(0).map((session) => session.connection.end()));
    },
  };
}

/** Waits for a place in the pool. */
function turn(waiting: (() => void)[], deadline: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const proceed = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(
      () => {
        waiting.splice(waiting.indexOf(proceed), 1);
        reject(new Unavailable(new Error('no connection became free')));
      },
      Math.max(0, deadline - Date.now()),
    );
    waiting.push(proceed);
  });
}

/** Ends a connection so that what waits for its answer learns of it; the driver's own `destroy` would leave it waiting. */
function abort(session: Session): void {
  const { stream } = (session.connection as unknown as { connection: { stream: Socket } }).connection;
  stream.destroy(Object.assign(new Error('the way to the database is gone'), { code: 'ECONNRESET' }));
}

async function within(limitMs: number, work: Promise<unknown>): Promise<void> {
  const limit = sleep(limitMs, undefined, { ref: false }).then(() => {
    throw new Error('no answer');
  });
  await Promise.race([work, limit]);
}
