import { randomInt } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { type Config, NodeSSH } from 'node-ssh';
import type { Client } from 'ssh2';
import { retry } from '../lib/async.ts';
import { type Authenticator, authenticator, type KeyStore } from './authentication.ts';
import { ConnectError, dial } from './dial.ts';
import { hostKeys } from './host-keys.ts';
import { dialThrough } from './jump.ts';
import { dialByCommand } from './proxy-command.ts';
import type { SshSettings } from './ssh-settings.ts';
import type { Endpoint, TransportFailure } from './failure.ts';

/**
 * When sshd drops a connection before the handshake, as it does beyond MaxStartups: so many tries, and more until the
 * time limit of a connection is over. Who waits in line for a busy sshd has not been refused.
 */
const TRIES = 6;
const FIRST_PAUSE_MS = 100;
const MOST_PAUSE_MS = 1000;
const GOODBYE_MS = 1000;
/** What sshd says between a login and the first command: its other host keys, notes on authorized_keys. */
const GREETING_PACKETS = 6;

/** An authenticated SSH connection. */
export interface SshSession {
  readonly settings: SshSettings;
  readonly client: Client;
  /** Why it is gone, once it is. */
  readonly lostReason: () => string | undefined;
  readonly closed: Promise<void>;
  end(): void;
}

export interface SessionOptions {
  readonly keys: KeyStore;
  /** The last jump host's session. */
  readonly via?: SshSession | undefined;
  readonly keepaliveIntervalMs: number;
  readonly keepaliveCountMax: number;
  readonly signal: AbortSignal;
}

/** Connects, verifies the host key and logs in. Rejects with a ConnectError. */
export async function openSession(settings: SshSettings, options: SessionOptions): Promise<SshSession> {
  return await retry(() => attemptSession(settings, options), {
    isTransient: (error) => error instanceof ConnectError && error.transient,
    pause(tries, elapsedMs) {
      if (tries >= TRIES && elapsedMs >= settings.connectTimeoutMs) return undefined;
      const pause = Math.min(FIRST_PAUSE_MS * 2 ** (tries - 1), MOST_PAUSE_MS);
      return pause + randomInt(pause);
    },
    signal: options.signal,
  });
}

async function attemptSession(settings: SshSettings, options: SessionOptions): Promise<SshSession> {
  const { via, signal } = options;
  const endpoint: Endpoint = {
    address: settings.address,
    port: settings.port,
    ...(via ? { via: via.settings.name } : {}),
  };
  // Independent, so at the same time: the key files and the agent are read while the network answers.
  const preparing = authenticator(settings, options.keys);
  preparing.catch(() => {});
  if (!via && settings.proxyCommand !== undefined) {
    const authentication = await preparing;
    signal.throwIfAborted();
    // Last, and without a pause before the login listens: a command may fail at once.
    return await logIn(settings, endpoint, dialByCommand(settings.proxyCommand), authentication, options);
  }
  const socket: Duplex = via
    ? await dialThrough(via.client, endpoint, settings.connectTimeoutMs, signal)
    : await dial(endpoint, settings, signal);
  const authentication = await preparing.catch((error: unknown) => {
    socket.destroy();
    throw error;
  });
  return await logIn(settings, endpoint, socket, authentication, options);
}

async function logIn(
  settings: SshSettings,
  endpoint: Endpoint,
  socket: Duplex,
  authentication: Authenticator,
  options: SessionOptions,
): Promise<SshSession> {
  const keys = hostKeys(settings);
  const progress = { said: '', handshake: false };
  const ssh = new NodeSSH();
  const connecting = ssh.connect({
    host: settings.address,
    sock: socket,
    username: settings.user,
    // ssh2 takes a synchronous answer, which its types do not say.
    authHandler: ((left: never) => authentication.next(left)) as unknown as NonNullable<
      Config['authHandler']
    >,
    hostVerifier: (key: Buffer) => keys.verify(key),
    algorithms: { ...settings.algorithms, serverHostKey: keys.algorithms } as unknown as NonNullable<
      Config['algorithms']
    >,
    // Only lent to the host: the keys that it holds are offered by the handler above.
    ...(settings.forwardedAgent === undefined ? {} : { agent: settings.forwardedAgent }),
    readyTimeout: settings.connectTimeoutMs,
    keepaliveInterval: settings.aliveIntervalMs ?? options.keepaliveIntervalMs,
    keepaliveCountMax: settings.aliveCountMax ?? options.keepaliveCountMax,
  });
  const client = ssh.connection;
  if (!client) throw new Error('node-ssh made no connection');
  const closing = Promise.withResolvers<void>();
  // A channel through a jump host is closed when that host says so, which waits for a host that is gone: whoever waits for
  // an answer would wait as long.
  const closeInTime = (): void => void setTimeout(() => socket.emit('close'), GOODBYE_MS).unref();
  let reason: string | undefined;
  client.on('error', (error) => {
    reason ??= error.message;
    closeInTime();
  });
  client.once('handshake', () => {
    progress.handshake = true;
  });
  client.once('close', () => {
    reason ??= 'the other side closed it';
    closing.resolve();
  });
  // Nothing can come any more. A socket closes by itself then; a channel through a jump host stays half open for as long as
  // the host behind it keeps silent, and ssh2 has stopped to ask whether that lives.
  socket.once('end', () => {
    socket.destroy();
    closeInTime();
  });
  const onFirst = (chunk: Buffer) => {
    progress.said = chunk.toString('latin1', 0, 200);
  };
  socket.once('data', onFirst);
  const onAbort = () => socket.destroy();
  options.signal.addEventListener('abort', onAbort, { once: true });
  try {
    await connecting;
    answerAtOnce(client, socket);
    await keys.remember();
  } catch (error) {
    socket.destroy();
    options.signal.throwIfAborted();
    const failure =
      keys.failure() ?? loginFailure(error as SshError, settings, endpoint, authentication, progress);
    const transient = failure.kind === 'handshake' && isBusy(error as SshError, progress.said);
    throw new ConnectError(failure, { cause: error, transient });
  } finally {
    options.signal.removeEventListener('abort', onAbort);
  }
  return {
    settings,
    client,
    lostReason: () => reason,
    closed: closing.promise,
    end() {
      reason ??= 'it was closed here';
      client.end();
      // A host that hangs does not answer the goodbye; that must not keep the program from ending.
      setTimeout(() => socket.destroy(), GOODBYE_MS).unref();
      closeInTime();
    },
  };
}

/**
 * Until a command has started, sshd's sockets wait with a small packet for the acknowledgement of the one before, and
 * our kernel waits 40 ms with an acknowledgement that it could send along with data. So each packet is answered by a
 * little data: a request to cancel a forwarding that does not exist.
 */
function answerAtOnce(client: Client, socket: Duplex): void {
  let left = GREETING_PACKETS;
  const answer = () => {
    if (left-- > 0 && socket.writable) client.unforwardIn('127.0.0.1', 1, () => {});
    else socket.off('data', answer);
  };
  socket.on('data', answer);
}

const quickened = new WeakSet<SshSession>();

/**
 * Makes a jump host's sshd send small packets at once, which it does only after it has started a command: else what it
 * passes on waits 40 ms here and there. Whether the command works, and whether one is allowed, does not matter.
 */
export function quicken(session: SshSession): void {
  if (quickened.has(session)) return;
  quickened.add(session);
  try {
    session.client.exec('true', (_error, channel) => {
      channel?.on('error', () => {});
      channel?.resume();
      channel?.stderr.resume();
    });
  } catch {
    // It is gone: whoever uses it next will say so.
  }
}

interface SshError extends Error {
  readonly level?: string;
  readonly code?: string | number;
}

/** sshd went away because too many others are logging in: in silence, or saying so, by its release. */
function isBusy(error: SshError, said: string): boolean {
  if (said.startsWith('Exceeded MaxStartups')) return true;
  return (
    said === '' &&
    (error.code === 'ECONNRESET' ||
      error.code === 'EPIPE' ||
      error.code === 'ETIMEDOUT' ||
      /before handshake|closed/i.test(error.message))
  );
}

function loginFailure(
  error: SshError,
  settings: SshSettings,
  endpoint: Endpoint,
  authentication: Authenticator,
  progress: { readonly said: string; readonly handshake: boolean },
): TransportFailure {
  if (error.level === 'client-timeout') {
    const phase = progress.handshake ? 'authentication' : 'handshake';
    return { kind: 'timeout', phase, ms: settings.connectTimeoutMs, ...endpoint };
  }
  if (progress.handshake) {
    const refused = error.level === 'client-authentication';
    return {
      kind: 'authentication',
      user: settings.user,
      endpoint: settings.address,
      tried: authentication.tried(),
      accepted: authentication.accepted(),
      notes: refused
        ? authentication.notes
        : [...authentication.notes, `the server ended it: ${error.message}`],
    };
  }
  return { kind: 'handshake', detail: handshakeDetail(error, progress.said), ...endpoint };
}

function handshakeDetail(error: SshError, said: string): string {
  if (said !== '' && !said.startsWith('SSH-'))
    return `it said ${JSON.stringify(said.split(/\r?\n/)[0])} and closed the connection`;
  if (error.code === 'ETIMEDOUT' || /before handshake/.test(error.message)) return 'it closed the connection';
  return error.message;
}
