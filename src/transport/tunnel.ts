import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type Duplex, pipeline } from 'node:stream';

import { EXIT, UserError } from '../lib/errors.ts';
import { firstOf } from '../lib/first-of.ts';
import { hostPort } from '../lib/host-port.ts';
import { ForwardError } from './forward.ts';
import { type Connection, type HostAddress, type Transport, TransportError } from './transport.ts';

/** A host that has not led to the service by then may be dead: the next one is tried beside it. */
const PATIENCE_MS = 2000;
const LOOPBACK = '127.0.0.1';

/** A service as one host reaches it. */
export interface TunnelEnd {
  readonly host: HostAddress;
  /** As the host sees it; by default its own loopback address. */
  readonly address?: string | undefined;
  readonly port: number;
}

export interface TunnelOptions {
  readonly transport: Pick<Transport, 'connect'>;
  /** Where the same service is, the preferred one first; the next takes over when one is gone. */
  readonly ends: readonly TunnelEnd[];
  /** On this machine; 0, the default, takes one that is free. */
  readonly port?: number | undefined;
  /** Told when connections go through another host than before, and why; or through one again after `onLost`. */
  readonly onMoved?: ((host: string, reason: string | undefined) => void) | undefined;
  /** Told once when no host leads there any more; each further connection tries them again. */
  readonly onLost?: ((message: string) => void) | undefined;
  /** Gives up the first way there. */
  readonly signal?: AbortSignal | undefined;
}

export interface Tunnel {
  /** On this machine's loopback address. */
  readonly port: number;
  /** The host that connections go through. */
  readonly host: string;
  close(): Promise<void>;
}

/** What a connection goes through. */
interface Way {
  readonly end: TunnelEnd;
  readonly connection: Connection;
}

/**
 * Brings a service that only hosts reach to a port of this machine's loopback address, over SSH. Rejects when no host
 * leads to it, or the port is taken.
 */
export async function openTunnel(options: TunnelOptions): Promise<Tunnel> {
  const server = createServer({ noDelay: true, allowHalfOpen: true });
  const ways = new Ways(options);
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // Before it is joined to a stream, nobody else listens.
    socket.on('error', () => {});
    void ways.dial().then(
      (stream) => {
        // Whichever end breaks ends the other: a browser then connects anew, by the way that leads there.
        pipeline(socket, stream, socket, () => {
          stream.destroy();
          socket.destroy();
        });
      },
      () => socket.resetAndDestroy(),
    );
  });
  const close = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await ways.close();
    await closed;
  };
  try {
    // First, since it is quick to say that a port is taken.
    server.listen(options.port ?? 0, LOOPBACK);
    await once(server, 'listening');
  } catch (error) {
    throw portTaken(error, options.port) ?? error;
  }
  try {
    (await ways.dial()).destroy();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    port: (server.address() as AddressInfo).port,
    get host() {
      return ways.host;
    },
    close,
  };
}

/** The connections to the hosts, and which of them is used. */
class Ways {
  readonly #options: TunnelOptions;
  readonly #ending = new AbortController();
  #way: Way | undefined;
  #choosing: Promise<Way> | undefined;
  #isLost = false;

  constructor(options: TunnelOptions) {
    this.#options = options;
  }

  get host(): string {
    return this.#way?.end.host.name ?? '';
  }

  /** A stream to the service, by the way in use or by the first other one that leads there. */
  async dial(): Promise<Duplex> {
    const way = this.#way;
    if (way === undefined) return await this.#dialBy(await this.#choose(undefined, undefined));
    try {
      return await this.#dialBy(way);
    } catch (error) {
      return await this.#dialBy(await this.#choose(way, reasonOf(error)));
    }
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await this.#choosing?.catch(() => {});
    await this.#way?.connection.close();
  }

  async #dialBy({ end, connection }: Way): Promise<Duplex> {
    return await connection.forward(end.address ?? LOOPBACK, end.port);
  }

  /** Many connections may find the way gone at once: they wait for one choice. */
  async #choose(left: Way | undefined, reason: string | undefined): Promise<Way> {
    if (this.#way !== undefined && this.#way !== left) return this.#way;
    this.#choosing ??= this.#chooseAnew(left, reason).finally(() => {
      this.#choosing = undefined;
    });
    return await this.#choosing;
  }

  async #chooseAnew(left: Way | undefined, reason: string | undefined): Promise<Way> {
    const { ends, onMoved, onLost, signal } = this.#options;
    // The one that failed comes last: a host without power is silent for long.
    const inOrder = ends.toSorted((a, b) => Number(a === left?.end) - Number(b === left?.end));
    const outcome = await firstOf(
      inOrder.map((end) => () => this.#attempt(end)),
      {
        patienceMs: PATIENCE_MS,
        isFinal: () => false,
        signal: signal ? AbortSignal.any([signal, this.#ending.signal]) : this.#ending.signal,
      },
    );
    await left?.connection.close();
    if (outcome.kind === 'failed') {
      this.#way = undefined;
      const error = nowhere(inOrder, outcome.errors);
      if (left !== undefined && !this.#isLost) onLost?.(error.message);
      this.#isLost = left !== undefined || this.#isLost;
      throw error;
    }
    const way = outcome.value;
    this.#way = way;
    if (left !== undefined ? left.end !== way.end : this.#isLost) onMoved?.(way.end.host.name, reason);
    this.#isLost = false;
    return way;
  }

  #attempt(end: TunnelEnd) {
    const given = new AbortController();
    const connecting = this.#options.transport.connect(end.host, given.signal);
    const reach = async (): Promise<Way> => {
      const connection = await connecting;
      const way = { end, connection };
      try {
        (await this.#dialBy(way)).destroy();
        given.signal.throwIfAborted();
        return way;
      } catch (error) {
        await connection.close();
        throw error;
      }
    };
    return { underway: connecting, result: reach(), cancel: () => given.abort() };
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function nowhere(ends: readonly TunnelEnd[], errors: readonly unknown[]): Error {
  const bug = errors.find((error) => !(error instanceof TransportError || error instanceof ForwardError));
  if (bug instanceof Error) return bug;
  const problems = ends.map((end, index) => {
    const error = errors[index];
    if (!(error instanceof ForwardError)) return { message: reasonOf(error) };
    const where = hostPort(end.address ?? LOOPBACK, end.port);
    return {
      message: `${end.host.name}: nothing answers at ${where} there (${error.message})`,
      hint: 'is the service installed, and does it run? `provision check` says what differs',
    };
  });
  return new UserError(problems, { exitCode: EXIT.unreachable, cause: errors[0] });
}

function portTaken(error: unknown, port: number | undefined): UserError | undefined {
  const code = (error as NodeJS.ErrnoException).code;
  if (code !== 'EADDRINUSE' && code !== 'EACCES') return undefined;
  const why = code === 'EACCES' ? 'only root may use it' : 'another program uses it';
  return new UserError({
    message: `port ${port ?? 0} of this machine: ${why}`,
    hint: 'name another one with --port',
  });
}
