import type { Duplex } from 'node:stream';
import type { Client, ClientChannel } from 'ssh2';
import { within } from '../lib/async.ts';
import { ConnectError } from './dial.ts';
import type { Endpoint, TransportFailure } from './failure.ts';

/** RFC 4254, section 5.1. */
const ADMINISTRATIVELY_PROHIBITED = 1;

/** Opens a TCP connection from a jump host. What sshd says about a failure is all there is to tell them apart. */
export async function dialThrough(
  jump: Client,
  endpoint: Endpoint,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Duplex> {
  signal.throwIfAborted();
  const opened = Promise.withResolvers<Duplex>();
  const { address, port } = endpoint;
  try {
    jump.forwardOut('127.0.0.1', 0, address, port, (error: Error | undefined, channel: ClientChannel) => {
      if (error)
        opened.reject(new ConnectError(forwardFailure(error, endpoint, timeoutMs), { cause: error }));
      else opened.resolve(channel);
    });
  } catch (error) {
    throw new ConnectError(
      { kind: 'lost', reason: 'the connection to the jump host is gone' },
      { cause: error },
    );
  }
  try {
    const expired = (): ConnectError =>
      new ConnectError({ kind: 'timeout', phase: 'connect', ms: timeoutMs, ...endpoint });
    return await within(opened.promise, { ms: timeoutMs, expired, signal });
  } catch (error) {
    // One that opens after all would stay open for as long as the jump host's connection.
    opened.promise.then(
      (channel) => channel.destroy(),
      () => {},
    );
    throw error;
  }
}

function forwardFailure(
  error: Error & { readonly reason?: unknown },
  endpoint: Endpoint,
  timeoutMs: number,
): TransportFailure {
  if (error.reason === ADMINISTRATIVELY_PROHIBITED) {
    return {
      kind: 'handshake',
      detail: 'its sshd does not allow TCP forwarding (AllowTcpForwarding)',
      ...endpoint,
    };
  }
  const said = error.message.replace(/^\(SSH\) Channel open failure: /, '');
  if (/name or service|not known|resolve|nodename/i.test(said)) return { kind: 'unresolved', ...endpoint };
  if (/refused/i.test(said)) return { kind: 'refused', ...endpoint };
  if (/timed out/i.test(said)) return { kind: 'timeout', phase: 'connect', ms: timeoutMs, ...endpoint };
  if (error.reason === undefined || error.reason === '') return { kind: 'lost', reason: said };
  return { kind: 'unreachable-network', code: said, ...endpoint };
}
