import type { IncomingMessage, RequestOptions } from 'node:http';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';

import type { Dial } from '../../lib/dial.ts';
import type { FileContent, Step } from '../../steps/step.ts';
import { bodySink } from './body.ts';
import { proxyFor, proxyHeaders } from './proxy.ts';

type HttpStep = Extract<Step, { kind: 'http' }>;

export interface HttpWorld {
  /** Opens a TCP connection as if from the target. */
  readonly dial: Dial;
  /** The task's, for its proxies. */
  readonly environment: Readonly<Record<string, string>>;
  /** The certificates that the target trusts; Node's own list when undefined. Asked for only when it is needed. */
  readonly authorities: () => Promise<string | undefined>;
}

export interface HttpAnswer {
  readonly status: number;
  /** The server's word for the status. */
  readonly reason: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly url: string;
  readonly content: FileContent;
  readonly digests: Readonly<Record<string, string>>;
  /** Removes a large body, which is in a temporary file. */
  readonly discard: () => void;
}

/** Makes one HTTP request, and those it is redirected to, over connections that start at the target. */
export async function httpRequest(step: HttpStep, world: HttpWorld): Promise<HttpAnswer> {
  let url = new URL(step.url);
  let { method, body } = step;
  for (let redirects = 0; ; redirects++) {
    const answer = await explained(url, once({ ...step, method, body }, url, world));
    const location = answer.headers['location'];
    const isRedirect = answer.status >= 300 && answer.status < 400 && location !== undefined;
    if (!isRedirect || redirects >= step.redirects) return answer;
    answer.discard();
    url = new URL(location, url);
    if (answer.status === 303) {
      method = 'GET';
      body = undefined;
    }
  }
}

async function once(step: HttpStep, url: URL, world: HttpWorld): Promise<HttpAnswer> {
  const secure = url.protocol === 'https:';
  if (!secure && url.protocol !== 'http:') throw new Error(`unsupported protocol ${url.protocol}`);
  const silence = silenceLimit(step.timeoutMs);
  const proxy = step.useProxy ? proxyFor(url, world.environment) : undefined;
  const sink = bodySink(step.save?.checksum ? [step.save.checksum.algorithm] : []);
  const streams: Duplex[] = [];
  const opened = <T extends Duplex>(stream: T): T => {
    streams.push(stream);
    stream.on('error', () => {});
    return stream;
  };
  try {
    // Loaded only now: with node:http Node loads its own fetch too, which would cost every run 20 ms.
    const [http, tls] = await Promise.all([import('node:http'), import('node:tls')]);
    const first = proxy ?? url;
    let socket = opened(await silence.during(world.dial(hostOf(first), portOf(first))));
    const request = (options: RequestOptions, data?: Buffer, onConnect?: (stream: Duplex) => void) =>
      silence.during(
        new Promise<IncomingMessage>((resolve, reject) => {
          const sending = http.request({ ...options, createConnection: () => socket });
          sending.on('error', reject).on('response', resolve);
          sending.on('connect', (answer, stream) => {
            if (answer.statusCode === 200) onConnect?.(opened(stream));
            else reject(new Error(`the proxy ${first.host} answered ${answer.statusCode ?? 'nothing'}`));
          });
          sending.on('drain', silence.touch);
          sending.end(data);
        }),
      );
    if (secure && proxy) {
      const plain = { method: 'CONNECT', path: `${bracketed(hostOf(url))}:${portOf(url)}` };
      socket = await silence.during(
        new Promise<Duplex>((resolve, reject) => {
          request(
            { ...plain, headers: { host: plain.path, ...proxyHeaders(proxy) } },
            undefined,
            resolve,
          ).catch(reject);
        }),
      );
    }
    if (secure) {
      const host = hostOf(url);
      const secured = opened(
        tls.connect({
          socket,
          // A certificate may be for an address, but TLS does not let a client ask for one by it.
          host,
          ...(isIP(host) ? {} : { servername: host }),
          rejectUnauthorized: step.validateCerts,
          ca: step.validateCerts ? await silence.during(world.authorities()) : undefined,
        }),
      );
      socket = secured;
      await silence.during(
        new Promise<void>((resolve, reject) => secured.once('secureConnect', resolve).once('error', reject)),
      );
    }
    const target = `${url.pathname}${url.search}`;
    const response = await request(
      {
        method: step.method,
        path: proxy && !secure ? `http://${url.host}${target}` : target,
        headers: {
          host: url.host,
          connection: 'close',
          ...(proxy && !secure ? proxyHeaders(proxy) : {}),
          ...step.headers,
        },
      },
      step.body,
    );
    await silence.during(
      new Promise<void>((resolve, reject) => {
        response.on('data', (chunk: Buffer) => {
          silence.touch();
          try {
            sink.add(chunk);
          } catch (error) {
            reject(error);
          }
        });
        response.on('error', reject).on('end', resolve);
      }),
    );
    return {
      status: response.statusCode ?? 0,
      reason: response.statusMessage ?? '',
      headers: Object.fromEntries(
        Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
      ),
      url: url.href,
      ...sink.end(),
      discard: () => sink.discard(),
    };
  } catch (error) {
    sink.discard();
    throw error;
  } finally {
    silence.end();
    for (const stream of streams) stream.destroy();
  }
}

/** Rejects what it watches when nothing has happened for so long; a long download that goes on is no silence. */
function silenceLimit(ms: number) {
  const over = Promise.withResolvers<never>();
  over.promise.catch(() => {});
  const timer = setTimeout(() => over.reject(new Error(`timed out: nothing came for ${ms / 1000} s`)), ms);
  const touch = (): void => void timer.refresh();
  return {
    touch,
    during<T>(work: Promise<T>): Promise<T> {
      touch();
      return Promise.race([work, over.promise]);
    },
    end: () => clearTimeout(timer),
  };
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}

function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** OpenSSL's codes for a chain that does not end at an authority that is trusted. */
const UNTRUSTED = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
]);

async function explained<T>(url: URL, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (!UNTRUSTED.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    throw new Error(
      `the certificate of ${url.host} is from no authority that the target trusts; give its authority as ca_path ` +
        "(a file on the target), or add it to the target's (update-ca-certificates)",
      { cause: error },
    );
  }
}
