import { EXIT, UserError } from '../lib/errors.ts';
import type { Silence } from './state.ts';

/** The error of an instance that did not do what it was asked. `silence` tells whether the instance lives. */
export class ServerFailure extends UserError {
  readonly silence: Silence;
  /** MySQL's number of the error; 0 when none came from a server. */
  readonly errno: number;

  constructor(
    server: string,
    doing: string,
    silence: Silence,
    options: { errno?: number; hint?: string } = {},
  ) {
    super(
      {
        message: `${server}: ${doing}: ${silence.message}`,
        ...(options.hint === undefined ? {} : { hint: options.hint }),
      },
      { exitCode: silence.alive ? EXIT.failed : EXIT.unreachable },
    );
    this.name = 'ServerFailure';
    this.silence = silence;
    this.errno = options.errno ?? 0;
  }
}

/** Node's and the driver's codes for a connection that came to nothing, or broke. */
const NETWORK: Readonly<Record<string, Silence['kind']>> = {
  ECONNREFUSED: 'refused',
  ETIMEDOUT: 'timeout',
  PROTOCOL_SEQUENCE_TIMEOUT: 'timeout',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENOTFOUND: 'unreachable',
  EAI_AGAIN: 'unreachable',
  ENOWAY: 'unreachable',
  ECONNRESET: 'lost',
  ECONNABORTED: 'lost',
  EPIPE: 'lost',
  PROTOCOL_CONNECTION_LOST: 'lost',
  ERR_STREAM_PREMATURE_CLOSE: 'lost',
  ERR_STREAM_DESTROYED: 'lost',
};

/** ER_CON_COUNT_ERROR: the server lives, and all its connections are taken. */
const FULL = 1040;
/** The server refuses our account: wrong password, no right, a limit, host blocked or not allowed, offline mode. */
const DENIED = new Set([
  1044, 1045, 1129, 1130, 1142, 1203, 1226, 1227, 1698, 1862, 3032, 3118, 3168, 3169, 4151,
]);

export interface DriverError extends Error {
  readonly code?: string;
  readonly errno?: number;
  readonly sqlMessage?: string;
}

/** Classifies an error by its code, never by its text. */
export function silenceFrom(error: DriverError): Silence {
  const { errno = 0 } = error;
  const message =
    error.sqlMessage ?? (error.message === '' ? (error.code ?? 'no reason given') : error.message);
  if (error.sqlMessage !== undefined && errno > 0) {
    if (errno === FULL) return { kind: 'too-many-connections', alive: true, message: `${errno} ${message}` };
    if (DENIED.has(errno)) return { kind: 'denied', alive: true, message: `${errno} ${message}` };
    return { kind: 'error', alive: true, message: `${errno} ${message}` };
  }
  const kind = NETWORK[error.code ?? ''];
  if (kind !== undefined) return { kind, alive: false, message };
  // Something answered, such as a server with another certificate or another protocol: it counts as alive.
  return { kind: 'error', alive: true, message };
}
