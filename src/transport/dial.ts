import { connect, isIP, type Socket } from 'node:net';
import { within } from '../lib/async.ts';
import type { Endpoint, TransportFailure } from './failure.ts';

/** A failure on the way to a connection, before it is known for which host it is reported. */
export class ConnectError extends Error {
  readonly failure: TransportFailure;
  /** Worth another try: sshd sheds load before the handshake. */
  readonly transient: boolean;

  constructor(failure: TransportFailure, options: { cause?: unknown; transient?: boolean } = {}) {
    super(failure.kind, options.cause === undefined ? {} : { cause: options.cause });
    this.failure = failure;
    this.transient = options.transient ?? false;
  }
}

export interface DialOptions {
  readonly connectTimeoutMs: number;
  /** 0 for either. */
  readonly addressFamily: 0 | 4 | 6;
}

/** Opens a TCP connection; each way to fail is told apart. */
export async function dial(
  endpoint: Endpoint,
  { connectTimeoutMs: timeoutMs, addressFamily }: DialOptions,
  signal?: AbortSignal,
): Promise<Socket> {
  signal?.throwIfAborted();
  const { address, port } = endpoint;
  if (addressFamily !== 0 && isIP(address) !== 0 && isIP(address) !== addressFamily)
    throw new ConnectError({ kind: 'unreachable-network', code: 'EAFNOSUPPORT', ...endpoint });
  const socket = connect({
    host: address,
    port,
    family: addressFamily,
    noDelay: true,
    autoSelectFamilyAttemptTimeout: 1000,
  });
  const opened = Promise.withResolvers<Socket>();
  const onConnect = (): void => opened.resolve(socket);
  const onError = (error: NodeJS.ErrnoException): void => opened.reject(error);
  socket.once('connect', onConnect).once('error', onError);
  try {
    const expired = (): ConnectError =>
      new ConnectError({ kind: 'timeout', phase: 'connect', ms: timeoutMs, ...endpoint });
    return await within(opened.promise, { ms: timeoutMs, expired, signal });
  } catch (error) {
    // Nobody listens any more; what else goes wrong with it is not to end the program.
    socket.on('error', () => {});
    socket.destroy();
    if (error instanceof ConnectError || (signal?.aborted && error === signal.reason)) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new ConnectError(dialFailure(error as NodeJS.ErrnoException, endpoint, timeoutMs), {
      cause: error,
      transient: code === 'ECONNRESET',
    });
  } finally {
    socket.off('connect', onConnect).off('error', onError);
  }
}

function dialFailure(error: NodeJS.ErrnoException, endpoint: Endpoint, timeoutMs: number): TransportFailure {
  switch (error.code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_NODATA':
    case 'EAI_NONAME':
      return { kind: 'unresolved', ...endpoint };
    case 'ECONNREFUSED':
      return { kind: 'refused', ...endpoint };
    case 'ETIMEDOUT':
      return { kind: 'timeout', phase: 'connect', ms: timeoutMs, ...endpoint };
    case 'ECONNRESET':
      return { kind: 'handshake', detail: 'the connection was reset', ...endpoint };
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EHOSTDOWN':
    case 'ENETDOWN':
    case 'EADDRNOTAVAIL':
    case 'EACCES':
    case 'EPERM':
      return { kind: 'unreachable-network', code: error.code, ...endpoint };
    default:
      return { kind: 'unreachable-network', code: error.code ?? error.message, ...endpoint };
  }
}
