import { Agent, request as httpRequest, type ClientRequest } from 'node:http';
import { hostPort } from '../../lib/host-port.ts';
import type { Duplex } from 'node:stream';
import { connect as tlsConnect } from 'node:tls';

import type { Dial } from '../../lib/dial.ts';
import { UserError } from '../../lib/errors.ts';

export interface EtcdEndpoint {
  readonly address: string;
  readonly port: number;
}

export interface EtcdHttpOptions {
  readonly endpoints: readonly EtcdEndpoint[];
  readonly dial: Dial;
  /** PEM text of the authority that signed the members' certificates; undefined: no TLS. */
  readonly ca: string | undefined;
  /** How long a member may be silent before the request is sent to the next one too. */
  readonly hedgeMs: number;
  /** The time limit of a request to all members together. */
  readonly timeoutMs: number;
}

export interface EtcdAnswer {
  readonly status: number;
  readonly body: string;
}

export interface EtcdHttp {
  /** A request may reach etcd more than once: a silent member may have received it. */
  post(path: string, body: string, token: string | undefined, signal?: AbortSignal): Promise<EtcdAnswer>;
  close(): void;
}

/** HTTP status codes of a member that cannot serve a request now: no leader, timeout, stopping. */
const TRY_LATER = new Set([502, 503, 504]);

const ELECTION_PAUSE_MS = 50;

/** Before a member has answered, nobody knows which of them lives; the first may have died with the primary. */
const FIRST_HEDGE_MS = 100;

/**
 * Sends requests to the members of an etcd cluster over persistent connections. The member that answered last comes
 * first; when it is silent the request goes to the next one too, and the first successful answer counts.
 */
export function etcdHttp(options: EtcdHttpOptions): EtcdHttp {
  const agents = options.endpoints.map((endpoint) => new MemberAgent(endpoint, options));
  let preferred = 0;
  let hedgeMs = Math.min(options.hedgeMs, FIRST_HEDGE_MS);

  const post: EtcdHttp['post'] = (path, body, token, signal) =>
    new Promise((resolve, reject) => {
      const waiting = agents.map((_, index) => agents[(preferred + index) % agents.length]!);
      const requests = new Set<ClientRequest>();
      const timers = new Set<NodeJS.Timeout>();
      const failures = new Map<string, string>();
      let out = 0;
      let settled = false;

      const after = (ms: number, act: () => void): void => {
        timers.add(setTimeout(act, ms));
      };
      const settle = (act: () => void): void => {
        if (settled) return;
        settled = true;
        for (const timer of timers) clearTimeout(timer);
        signal?.removeEventListener('abort', aborted);
        for (const request of requests) request.destroy();
        act();
      };
      const fail = (): void => settle(() => reject(noAnswer(options, failures)));
      const aborted = (): void => settle(() => reject(signal?.reason as Error));

      const ask = (agent: MemberAgent): void => {
        const request = send(agent, path, body, token, (answer) => {
          requests.delete(request);
          if (settled) return;
          if (answer instanceof Error) {
            failures.set(agent.name, answer.message);
            out++;
          } else if (TRY_LATER.has(answer.status)) {
            // The member is alive, and its cluster is electing a leader.
            failures.set(agent.name, reason(answer.body));
            after(ELECTION_PAUSE_MS, () => ask(agent));
          } else {
            preferred = agents.indexOf(agent);
            hedgeMs = options.hedgeMs;
            settle(() => resolve(answer));
            return;
          }
          if (out === agents.length) fail();
          else askNext();
        });
        requests.add(request);
      };
      const askNext = (): void => {
        const agent = waiting.shift();
        if (agent) ask(agent);
      };

      after(options.timeoutMs, () => {
        for (const { name } of agents) {
          if (!failures.has(name)) failures.set(name, `silent for ${options.timeoutMs} ms`);
        }
        fail();
      });
      signal?.addEventListener('abort', aborted);
      if (signal?.aborted) return aborted();
      for (let index = 1; index < agents.length; index++) after(index * hedgeMs, askNext);
      askNext();
    });

  return {
    post,
    close: () => {
      for (const agent of agents) agent.destroy();
    },
  };
}

/** The reason that etcd gives for refusing a request. */
export function reason(body: string): string {
  try {
    const { error, message } = JSON.parse(body) as { error?: string; message?: string };
    return (message ?? error ?? body).replace(/^etcdserver: /, '');
  } catch {
    return body.slice(0, 200);
  }
}

/** `10.0.0.1:2379`, `[::1]:2379` or with a scheme before it; what is none of these is a `UserError`. */
export function parseEndpoint(text: string): EtcdEndpoint {
  const [, address, port] =
    /^(?:https?:\/\/)?(?:\[([^\]]+)\]|([^:/\s]+)):(\d+)\/?$/.exec(text)?.filter(Boolean) ?? [];
  if (address === undefined || port === undefined || Number(port) > 65535) {
    throw new UserError({
      message: `"${text}" is not the address of an etcd member`,
      hint: 'it is written as ADDRESS:PORT, such as 10.0.0.21:2379',
    });
  }
  return { address, port: Number(port) };
}

function send(
  agent: MemberAgent,
  path: string,
  body: string,
  token: string | undefined,
  done: (answer: EtcdAnswer | Error) => void,
): ClientRequest {
  const request = httpRequest({
    agent,
    method: 'POST',
    path,
    host: agent.name,
    headers: {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      ...(token !== undefined && { authorization: token }),
    },
  });
  let settled = false;
  const once = (answer: EtcdAnswer | Error): void => {
    if (!settled) done(answer);
    settled = true;
  };
  request.on('error', once);
  request.on('response', (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('error', once);
    response.on('end', () =>
      once({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
    );
  });
  request.end(body);
  return request;
}

function noAnswer(options: EtcdHttpOptions, failures: ReadonlyMap<string, string>): UserError {
  const said = [...failures].map(([name, what]) => `${name}: ${what}`).join('; ');
  return new UserError({
    message: `etcd does not answer (${said})`,
    hint: `a majority of ${options.endpoints.map((one) => hostPort(one.address, one.port)).join(', ')} has to be up and reachable; without it nothing is changed`,
  });
}

type MemberOptions = Pick<EtcdHttpOptions, 'dial' | 'ca' | 'timeoutMs'>;

/** Manages the connections to one member. */
export class MemberAgent extends Agent {
  readonly name: string;
  readonly #endpoint: EtcdEndpoint;
  readonly #options: MemberOptions;
  #closed = false;

  constructor(endpoint: EtcdEndpoint, options: MemberOptions) {
    super({ keepAlive: true, maxFreeSockets: 4 });
    this.#endpoint = endpoint;
    this.#options = options;
    this.name = hostPort(endpoint.address, endpoint.port);
  }

  override createConnection(_: object, connected?: (error: Error | null, stream: Duplex) => void): undefined {
    this.#connect().then(
      (stream) => connected?.(null, stream),
      (error: Error) => connected?.(error, undefined as unknown as Duplex),
    );
  }

  override destroy(): void {
    this.#closed = true;
    super.destroy();
  }

  async #connect(): Promise<Duplex> {
    const { address, port } = this.#endpoint;
    const { dial, ca, timeoutMs } = this.#options;
    const stream = await dial(address, port);
    const socket = ca === undefined ? asSocket(stream) : await secured(stream, address, ca, timeoutMs);
    if (this.#closed) {
      socket.destroy();
      throw new Error('closed');
    }
    return socket;
  }
}

/** Opens TLS over any stream to the member; its certificate must name the member's configured address. */
function secured(stream: Duplex, address: string, ca: string, timeoutMs: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = tlsConnect({ socket: stream, host: address, ca, minVersion: 'TLSv1.2' });
    const failed = (error: Error): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(() => failed(new Error('no TLS in time')), timeoutMs);
    socket.once('error', failed);
    socket.once('secureConnect', () => {
      clearTimeout(timer);
      socket.off('error', failed);
      resolve(socket);
    });
  });
}

/** The HTTP agent sets socket options, which an SSH channel does not have. */
function asSocket(stream: Duplex): Duplex {
  const same = (): Duplex => stream;
  for (const method of ['setKeepAlive', 'setNoDelay', 'setTimeout', 'ref', 'unref']) {
    if (!(method in stream)) Object.defineProperty(stream, method, { value: same });
  }
  return stream;
}
