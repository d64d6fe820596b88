import { ServerFailure } from './failure.ts';
import { number, text } from './rows.ts';
import type { Limits } from './server.ts';
import type { Row, Session } from './session.ts';
import type { PreparedTransactions } from './state.ts';
import type { Flavour } from './version.ts';

/**
 * Prepared XA transactions whose session has ended: InnoDB keeps them without a thread, with their row locks, until
 * somebody commits or rolls them back by name. Those of a session that still exists are ordinary open transactions.
 */
export const DETACHED_TRANSACTIONS = `SELECT COUNT(*) AS count, COALESCE(MAX(TIMESTAMPDIFF(SECOND, trx_started, NOW())), 0) AS seconds
  FROM information_schema.innodb_trx WHERE trx_mysql_thread_id = 0`;

/** MySQL says so without XA_RECOVER_ADMIN; MariaDB asks for no right. */
const DENIED = new Set([1227, 1401]);

/**
 * Their names, in the words that XA COMMIT and XA ROLLBACK take. InnoDB has short transactions of its own without a
 * thread: they are asked for only when one is older than `minSeconds`, and nothing is prepared when XA RECOVER has none.
 */
export async function preparedTransactions(
  session: Session,
  flavour: Flavour,
  detached: Row | undefined,
  minSeconds: number,
  limits: Limits,
): Promise<PreparedTransactions | undefined> {
  const seconds = number(detached, 'seconds');
  if (number(detached, 'count') === 0 || seconds < minSeconds) return undefined;
  const sql = flavour === 'mysql' ? 'XA RECOVER CONVERT XID' : "XA RECOVER FORMAT='SQL'";
  try {
    const found = await session.rows('listing prepared transactions', sql, [], limits);
    if (found.length === 0) return undefined;
    return { seconds, names: found.map(flavour === 'mysql' ? xidOf : (row) => text(row, 'data')) };
  } catch (error) {
    if (error instanceof ServerFailure && DENIED.has(error.errno)) return { seconds, names: undefined };
    throw error;
  }
}

/** `'gtrid','bqual',formatID`, without what has its default; in hexadecimal where it is no plain text. */
export function xidOf(row: Row): string {
  const hex = text(row, 'data').replace(/^0x/i, '');
  const split = number(row, 'gtrid_length') * 2;
  const format = number(row, 'formatID');
  const parts = [quoted(hex.slice(0, split))];
  if (hex.length > split || format !== 1) parts.push(quoted(hex.slice(split)));
  if (format !== 1) parts.push(String(format));
  return parts.join(',');
}

function quoted(hex: string): string {
  const bytes = Buffer.from(hex, 'hex').toString('latin1');
  return /^[\x20-\x7e]*$/.test(bytes) && !/['\\]/.test(bytes) ? `'${bytes}'` : `X'${hex}'`;
}
