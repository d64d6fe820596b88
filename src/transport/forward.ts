import { Duplex } from 'node:stream';
import { hostPort } from '../lib/host-port.ts';

import { command } from '../lib/shell.ts';
import type { Channel } from './channel.ts';
import { type OpenOptions, openRawChannel } from './open-shell.ts';
import { TransportError } from './transport.ts';

/** RFC 4254, section 5.1. */
const PROHIBITED = 1;
const UNKNOWN_CHANNEL_TYPE = 3;
const RESOURCE_SHORTAGE = 4;

/** A TCP connection from a host that was not made. */
export class ForwardError extends Error {
  /** `closed`: it was tried, and nothing accepted it. `impossible`: it could not even be tried. */
  readonly kind: 'closed' | 'impossible';

  constructor(kind: ForwardError['kind'], message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = 'ForwardError';
    this.kind = kind;
  }
}

/** Whether sshd does not open TCP connections for this user, to this address or at all. */
export function isProhibited(error: unknown): boolean {
  const reason = reasonOf(error);
  return reason === PROHIBITED || reason === UNKNOWN_CHANNEL_TYPE;
}

/** What a failure to open a TCP connection says about the port. */
export function forwardError(error: unknown, address: string, port: number): ForwardError {
  const said = (error instanceof Error ? error.message : String(error)).replace(
    /^\(SSH\) Channel open failure: /,
    '',
  );
  const code = error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? '') : '';
  const isShort = reasonOf(error) === RESOURCE_SHORTAGE || ['EMFILE', 'ENFILE', 'ENOBUFS'].includes(code);
  return new ForwardError(isShort ? 'impossible' : 'closed', `${hostPort(address, port)}: ${said}`, {
    cause: error,
  });
}

function reasonOf(error: unknown): unknown {
  return error instanceof Error ? (error as Error & { reason?: unknown }).reason : undefined;
}

/**
 * Relays a TCP connection over the standard streams: by bash, which has sockets, or by nc. `$1` is the address, `$2` the
 * port. It says that it is connected before any data comes. What bash says about a failure is in the C locale.
 */
const BASH = [
  'exec 3<>"/dev/tcp/$1/$2" || exit 1',
  "printf '\\006'",
  // When the other side ends, so does the relay; $$ is that of cat after exec.
  '{ cat <&3; kill $$; } & exec cat >&3',
].join('; ');

const RELAY = [
  'LC_ALL=C; export LC_ALL',
  `if command -v bash >/dev/null 2>&1; then exec bash -c '${BASH.replaceAll("'", `'\\''`)}' bash "$1" "$2"`,
  'elif command -v nc >/dev/null 2>&1',
  'then nc -z -w 10 "$1" "$2" </dev/null >/dev/null 2>&1 && { printf \'\\006\'; exec nc "$1" "$2"; }',
  'exit 1; fi; exit 126',
].join('; ');

const CONNECTED = 0x06;
const NOTHING_TO_RELAY_WITH = 126;

/** Opens a TCP connection by programs of the host, where its sshd does not. */
export async function forwardByShell(options: OpenOptions, address: string, port: number): Promise<Duplex> {
  const channel = await openRawChannel(
    options,
    `exec ${command(['sh', '-c', RELAY, 'sh', address, String(port)])}`,
  );
  const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
  const where = hostPort(address, port);
  let said = '';
  let stream: Duplex | undefined;
  channel.onStderr((chunk) => {
    if (said.length < 2000) said += chunk.toString('utf8');
  });
  channel.onStdout((chunk) => {
    if (stream) return void stream.push(chunk);
    if (chunk[0] !== CONNECTED) return;
    stream = channelStream(channel);
    if (chunk.length > 1) stream.push(chunk.subarray(1));
    resolve(stream);
  });
  channel.onClose(({ status }) => {
    stream?.push(null);
    if (status === NOTHING_TO_RELAY_WITH || /\/dev\/tcp\/.*: No such file/.test(said)) {
      const lacks =
        'its sshd does not allow TCP forwarding (AllowTcpForwarding), and it has neither bash nor nc';
      reject(new ForwardError('impossible', `${options.host} cannot connect to ${where}: ${lacks}`));
    } else if (status === 1) {
      const reason = /connect: (.*)/.exec(said)?.[1] ?? said.trim().split(': ').at(-1) ?? '';
      reject(new ForwardError('closed', `${where}: ${reason || 'connection refused'}`));
    } else {
      const reason = said.trim() || `its shell ended with status ${status ?? 'unknown'}`;
      reject(new TransportError(options.host, { kind: 'shell', reason }));
    }
  });
  return await promise;
}

function channelStream(channel: Channel): Duplex {
  return new Duplex({
    read() {},
    async write(chunk: Buffer, _encoding, done) {
      // A closed channel takes the data too; that it has ended is told by its end.
      await channel.writeAndWait(chunk);
      done();
    },
    final(done) {
      channel.end();
      done();
    },
    destroy(error, done) {
      channel.destroy();
      done(error);
    },
  });
}
