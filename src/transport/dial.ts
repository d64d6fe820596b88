import { connect, isIP, type Socket } from 'node:net';
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
  return await new Promise((resolve, reject) => {
    const socket = connect({
      host: address,
      port,
      family: addressFamily,
      noDelay: true,
      autoSelectFamilyAttemptTimeout: 1000,
    });
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.off('connect', onConnect).off('error', onError);
      settle();
    };
    const give = (error: unknown) =>
      finish(() => {
        socket.on('error', () => {});
        socket.destroy();
        reject(error);
      });
    const onConnect = () => finish(() => resolve(socket));
    const onError = (error: NodeJS.ErrnoException) =>
      give(
        new ConnectError(dialFailure(error, endpoint, timeoutMs), {
          cause: error,
          transient: error.code === 'ECONNRESET',
        }),
      );
    const onAbort = () => give(signal?.reason);
    const timer = setTimeout(
      () => give(new ConnectError({ kind: 'timeout', phase: 'connect', ms: timeoutMs, ...endpoint })),
      timeoutMs,
    );
    socket.once('connect', onConnect).once('error', onError);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
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
