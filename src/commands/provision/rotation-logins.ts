import { setTimeout as wait } from 'node:timers/promises';

import { ServerFailure } from '../../database/failure.ts';
import { openSession, type SessionOptions } from '../../database/session.ts';
import { UserError } from '../../lib/errors.ts';
import { Secret } from '../../lib/secret.ts';

/** Accounts come to a replica by replication, which may be behind. */
const APPLIED_MS = 60_000;
const PAUSE_MS = 300;
/** ER_ACCESS_DENIED_ERROR: no such account, or another password. */
const WRONG_PASSWORD = 1045;
/** What a server says to one whose password is right, and who has as many sessions as he may. */
const TOO_MANY = new Set([1203, 1226]);

export interface Login {
  /** The instance, without an account. */
  readonly at: Omit<SessionOptions, 'account'>;
  readonly user: string;
  readonly password: string;
  /** Whether it has to be accepted. */
  readonly accepted: boolean;
}

/** Says what is wrong; undefined: nothing. */
export type Attempt = (signal: AbortSignal) => Promise<string | undefined>;

/** Waits until every login is accepted, or refused, as it has to be; rejects with all that are not when the time is over. */
export async function seeLogins(attempts: readonly Attempt[], signal: AbortSignal): Promise<void> {
  const until = performance.now() + APPLIED_MS;
  const problems = await Promise.all(
    attempts.map(async (attempt) => {
      for (;;) {
        const problem = await attempt(signal);
        if (problem === undefined || performance.now() > until) return problem;
        await wait(PAUSE_MS, undefined, { signal });
      }
    }),
  );
  const found = problems.filter((each) => each !== undefined);
  if (found.length > 0) throw new UserError(found.map((message) => ({ message })));
}

/** A login to an instance of the database. */
export async function tryLogin(
  { at, user, password, accepted }: Login,
  signal: AbortSignal,
): Promise<string | undefined> {
  const account = { user, password: new Secret(password) };
  try {
    const session = await openSession(
      { ...at, account },
      { timeoutMs: at.connectTimeoutMs, signal },
      () => {},
    );
    session.destroy();
    return accepted ? undefined : stillAccepted(at.name, user);
  } catch (error) {
    if (!(error instanceof ServerFailure)) throw error;
    if (error.errno === WRONG_PASSWORD) return accepted ? notAccepted(at.name, user) : undefined;
    return TOO_MANY.has(error.errno) && accepted ? undefined : error.message;
  }
}

export function notAccepted(server: string, user: string): string {
  return `${server} does not accept the password of "${user}"`;
}

export function stillAccepted(server: string, user: string): string {
  return `${server} still accepts the password of "${user}" that it had before`;
}
