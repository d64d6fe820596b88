/** What a failed attempt at the database means for the next one. */
export type Failure =
  /** The connection is useless or leads to the wrong instance: connect again, ask again. */
  | 'elsewhere'
  /** The server is well but the statement collided with another: ask again. */
  | 'again'
  /** Nothing would change by asking again. */
  | 'final';

/*
 * Every statement of this app may be repeated: reads by nature, the one write because its request id is unique.
 * So a lost answer is no reason to give up.
 */
const ELSEWHERE = new Set([
  'ER_OPTION_PREVENTS_STATEMENT', // the instance became read-only
  'ER_READ_ONLY_MODE',
  'ER_SERVER_SHUTDOWN',
  'ER_NORMAL_SHUTDOWN',
  'ER_SESSION_WAS_KILLED',
  'ER_CONNECTION_KILLED',
  'ER_QUERY_INTERRUPTED',
  'ER_CLIENT_INTERACTION_TIMEOUT',
  'ER_CON_COUNT_ERROR',
  'ER_TOO_MANY_USER_CONNECTIONS',
  'ER_SERVER_OFFLINE_MODE',
  'ER_SERVER_OFFLINE_MODE_REASON',
  'ER_SERVER_OFFLINE_MODE_USER',
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'HANDSHAKE_NO_SSL_SUPPORT',
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
const ELSEWHERE_NUMBERS = new Set([1053, 1077, 1290, 1317, 1836, 1927, 3032, 3169, 4031]);
const AGAIN = new Set(['ER_LOCK_WAIT_TIMEOUT', 'ER_LOCK_DEADLOCK']);

/** Judges an error of the driver by its code, never by its text. */
export function judge(error: unknown): Failure {
  const { code, errno, fatal } = error as { code?: string; errno?: number; fatal?: boolean };
  if (code !== undefined && AGAIN.has(code)) return 'again';
  if (code !== undefined && ELSEWHERE.has(code)) return 'elsewhere';
  if (errno !== undefined && ELSEWHERE_NUMBERS.has(errno)) return 'elsewhere';
  return fatal === true && errno === undefined ? 'elsewhere' : 'final';
}

/** The driver's code for an error, when it has one. */
export function errorCode(error: unknown): string | undefined {
  return (error as { code?: string }).code;
}

/** What a request needs did not come back while it waited: the database, or what it is told. */
export class Unavailable extends Error {
  constructor(cause: unknown, what = 'database') {
    super(`the ${what} is not available`, { cause });
    this.name = 'Unavailable';
  }
}
