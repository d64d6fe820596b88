import type { Duplex } from 'node:stream';

import { within } from '../../lib/async.ts';
import type { Dial } from '../../lib/dial.ts';
import { hostPort } from '../../lib/host-port.ts';
import { type Attempt, firstOf } from '../../lib/first-of.ts';
import type { Connection } from '../../transport/transport.ts';

/** A route to the instances: an SSH connection to a balancer, open or being opened. */
export interface Way {
  readonly name: string;
  /** Called again after its connection was lost. */
  readonly connect: () => Promise<Connection>;
}

export interface DialOptions {
  readonly connectTimeoutMs: number;
  /** After this time without a connection the next route is tried too. */
  readonly patienceMs?: number | undefined;
}

/** A dialler, and when it is ready. */
export interface AnyWay {
  readonly dial: Dial;
  /**
   * Resolves when one route is open. Before that the time limit of a query would be spent on waiting for SSH. Rejects
   * with an `AggregateError` of every route's reason when none can be opened.
   */
  readonly ready: () => Promise<void>;
}

/** Shorter than the first retransmission of a lost packet, longer than a connection takes in a data centre. */
const PATIENCE_MS = 250;

/** Why a connection could not be opened. `code` is Node's, as without SSH in between. */
export class DialError extends Error {
  readonly code: 'ECONNREFUSED' | 'ETIMEDOUT' | 'EHOSTUNREACH' | 'ENOTFOUND' | 'ENOWAY';

  constructor(code: DialError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DialError';
    this.code = code;
  }
}

/**
 * Dials through the first of several SSH connections that is open, and through another one when that fails or is
 * slow, so that a dead balancer causes no delay. A refused connection is the target's own answer and counts at once.
 */
export function dialThroughAny(ways: readonly Way[], options: DialOptions): AnyWay {
  const { connectTimeoutMs, patienceMs = PATIENCE_MS } = options;
  const lines = ways.map((way) => line(way));
  for (const each of lines) each.open().catch(() => {});

  const anyOpen = async (): Promise<void> => {
    await Promise.any(lines.map((each) => each.open()));
  };
  const dial: Dial = async (address, port) => {
    const target = hostPort(address, port);
    const failures: unknown[] = [];
    const given = new AbortController();
    const through = (line: Line): Attempt<Duplex> => {
      const result = line.dial(address, port);
      result.catch((error: unknown) => failures.push(error));
      // A late connection is closed: a server counts connections that never log in.
      const cancel = (): void =>
        void result.then(
          (stream) => stream.destroy(),
          () => {},
        );
      return { underway: NOT_YET, result, cancel };
    };
    const reach = async (): Promise<Duplex> => {
      try {
        await anyOpen();
      } catch (error) {
        throw worst((error as AggregateError).errors as Error[], target);
      }
      const reached = await firstOf(
        // Two routes that open at the same time do not dial the target twice.
        inOrder(lines).map((line) => () => through(line)),
        { patienceMs, isFinal, signal: given.signal },
      );
      if (reached.kind === 'reached') return reached.value;
      throw worst(reached.errors as Error[], target);
    };
    const expired = (): DialError =>
      new DialError('ETIMEDOUT', `connect to ${target}: no answer within ${connectTimeoutMs} ms`, {
        cause: new AggregateError(failures),
      });
    return await within(reach(), { ms: connectTimeoutMs, expired }).catch((error: unknown) => {
      given.abort(error);
      throw error;
    });
  };
  return { dial, ready: anyOpen };
}

/** A route is not trusted until a server answers through it. */
const NOT_YET = new Promise<never>(() => {});

/** Open routes come first, and of those the one that was used last. */
function inOrder(lines: readonly Line[]): Line[] {
  return [...lines].sort((a, b) => Number(b.isUp()) - Number(a.isUp()) || b.usedAt() - a.usedAt());
}

interface Line {
  open(): Promise<Connection>;
  isUp(): boolean;
  usedAt(): number;
  dial(address: string, port: number): Promise<Duplex>;
}

function line(way: Way): Line {
  let opening: Promise<Connection> | undefined;
  let up: Connection | undefined;
  let used = 0;
  const open = async (): Promise<Connection> => {
    if (up && !up.closed) return up;
    if (opening) return await opening;
    up = undefined;
    opening = way.connect();
    try {
      up = await opening;
      return up;
    } finally {
      opening = undefined;
    }
  };
  return {
    open,
    isUp: () => up !== undefined && !up.closed,
    usedAt: () => used,
    async dial(address, port) {
      let connection: Connection;
      try {
        connection = await open();
      } catch (error) {
        throw new DialError('ENOWAY', (error as Error).message, { cause: error });
      }
      try {
        const stream = await connection.forward(address, port);
        used = performance.now();
        return stream;
      } catch (error) {
        throw forwardFailure(error as Error, hostPort(address, port), way.name);
      }
    },
  };
}

/** Only the text of sshd's message tells the reasons apart: RFC 4254 has one code for every failure to connect. */
function forwardFailure(
  error: Error & { readonly reason?: unknown },
  target: string,
  via: string,
): DialError {
  const said = error.message.replace(/^\(SSH\) Channel open failure: /, '');
  const code = /refused/i.test(said)
    ? 'ECONNREFUSED'
    : /name or service|not known|resolve|nodename/i.test(said)
      ? 'ENOTFOUND'
      : /timed out/i.test(said)
        ? 'ETIMEDOUT'
        : error.reason === undefined || error.reason === ''
          ? 'ENOWAY'
          : 'EHOSTUNREACH';
  return new DialError(code, `connect to ${target} through ${via}: ${said}`, { cause: error });
}

function isFinal(error: unknown): boolean {
  return error instanceof DialError && error.code === 'ECONNREFUSED';
}

/** An error of the network behind a balancer says more than a balancer that cannot be used. */
function worst(failures: readonly Error[], target: string): Error {
  const beyond = failures.find((error) => error instanceof DialError && error.code !== 'ENOWAY');
  if (beyond) return beyond;
  const said = failures.map((error) => error.message).join('; ');
  return new DialError('ENOWAY', `there is no way to ${target}: ${said}`, {
    cause: new AggregateError(failures),
  });
}
