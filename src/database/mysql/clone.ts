import { sleep } from '../../lib/async.ts';
import { hostPort } from '../../lib/host-port.ts';

import { UserError } from '../../lib/errors.ts';
import { ServerFailure } from '../failure.ts';
import { number, text } from '../rows.ts';
import type { Limits, SourceAddress } from '../server.ts';
import type { Account } from '../session.ts';
import type { Sessions } from '../sessions.ts';

interface CloneTarget {
  readonly name: string;
  readonly sessions: Sessions;
  /** The donor's account for copies. */
  readonly account: Account;
  readonly report: (line: string) => void;
}

/** Replaces the data of an instance by a copy of the donor's. The instance restarts with it. */
export async function cloneFrom(donor: SourceAddress, into: CloneTarget, limits: Limits): Promise<void> {
  if (donor.host.includes(':')) {
    throw new UserError({
      message: `${into.name}: MySQL's clone plugin takes no IPv6 address as its donor (3869), and ${donor.host} is one`,
      hint: 'give the donor a name: `mysql_address: NAME` in the inventory, a name that the others resolve',
    });
  }
  const { report } = into;
  const { user, password } = into.account;
  const deadline = performance.now() + limits.timeoutMs;
  const left = (): number => Math.max(1, deadline - performance.now());
  const startedAt = Date.now();
  const cloning = into.sessions.with(limits, async (session) => {
    // Under super_read_only only root may replace the data; the server comes back with it, as its option file says.
    const sql = `SET GLOBAL clone_valid_donor_list = ?; SET GLOBAL super_read_only = OFF; CLONE INSTANCE FROM ?@?:${donor.port} IDENTIFIED BY ? REQUIRE SSL`;
    const values = [hostPort(donor.host, donor.port), user, donor.host, password.reveal()];
    await session.rows(`cloning ${hostPort(donor.host, donor.port)}`, sql, values, limits);
  });
  const stop = new AbortController();
  const watching = reportProgress(into, stop.signal);
  try {
    await cloning;
  } catch (error) {
    // A whole clone ends with the server's restart: the connection breaks, or it says that it cannot restart itself
    // (3707), which the service manager does. https://dev.mysql.com/doc/refman/9.5/en/clone-plugin-remote.html
    const isRestart = error instanceof ServerFailure && (!error.silence.alive || error.errno === 3707);
    if (!isRestart) {
      const again = { timeoutMs: left() };
      await into.sessions.with(again, (session) =>
        session.rows('staying read-only', 'SET GLOBAL super_read_only = ON', [], again),
      );
      throw error;
    }
  } finally {
    stop.abort();
    await watching;
  }
  report('restarting');
  for (;;) {
    const ended = await statusOf(into, Math.min(left(), 2000));
    if (ended?.state === 'Completed' && ended.began >= startedAt - 60_000) return;
    if (ended?.state === 'Failed') throw new UserError(`${into.name}: the clone failed: ${ended.message}`);
    if (performance.now() > deadline)
      throw new UserError(`${into.name}: it did not come back from its clone within ${limits.timeoutMs} ms`);
    limits.signal?.throwIfAborted();
    await sleep(100);
  }
}

async function statusOf(
  { sessions }: CloneTarget,
  timeoutMs: number,
): Promise<{ state: string; message: string; began: number } | undefined> {
  const sql = `SELECT state AS state, error_message AS message, UNIX_TIMESTAMP(begin_time) * 1000 AS began
    FROM performance_schema.clone_status`;
  try {
    const [row] = await sessions.with({ timeoutMs }, (session) =>
      session.rows('asking for the clone', sql, [], { timeoutMs }),
    );
    return row && { state: text(row, 'state'), message: text(row, 'message'), began: number(row, 'began') };
  } catch (error) {
    if (error instanceof ServerFailure) return undefined;
    throw error;
  }
}

async function reportProgress({ sessions, report }: CloneTarget, signal: AbortSignal): Promise<void> {
  const sql = `SELECT stage AS stage, estimate AS estimate, data AS data FROM performance_schema.clone_progress
    WHERE state = 'In Progress' LIMIT 1`;
  const limits = { timeoutMs: 2000 };
  while (!signal.aborted) {
    try {
      const [row] = await sessions.with(limits, (session) => session.rows('progress', sql, [], limits));
      if (row) {
        const estimate = number(row, 'estimate');
        const percent = estimate > 0 ? `, ${Math.floor((number(row, 'data') * 100) / estimate)} %` : '';
        report(`${text(row, 'stage').toLowerCase()}${percent}`);
      }
    } catch {
      // The instance is restarting: there is no progress to report.
    }
    await sleep(500, signal).catch(() => {});
  }
}
