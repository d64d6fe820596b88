import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

import type { Step, StepOutput } from '../../steps/step.ts';

type HttpStep = Extract<Step, { kind: 'http' }>;

/** Opens a TCP connection as if from the target. */
export type Dial = (host: string, port: number) => Promise<Duplex>;

/** Makes one HTTP request, and those it is redirected to, over connections that start at the target. */
export async function httpRequest(step: HttpStep, dial: Dial): Promise<StepOutput> {
  const startedAt = Date.now();
  let url = new URL(step.url);
  let { method } = step;
  let body = step.body;
  try {
    for (let redirects = 0; ; redirects++) {
      const response = await once({ ...step, method, body }, url, dial);
      const location = response.headers['location'];
      if (
        response.status >= 300 &&
        response.status < 400 &&
        location !== undefined &&
        redirects < step.redirects
      ) {
        url = new URL(location, url);
        if (response.status === 303) {
          method = 'GET';
          body = undefined;
        }
        continue;
      }
      return { kind: 'http', ...response, url: url.href, ms: Date.now() - startedAt };
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { kind: 'no-answer', message: `${url.href}: ${message}`, ms: Date.now() - startedAt };
  }
}

interface Response {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

async function once(step: HttpStep, url: URL, dial: Dial): Promise<Response> {
  const secure = url.protocol === 'https:';
  if (!secure && url.protocol !== 'http:') throw new Error(`unsupported protocol ${url.protocol}`);
  const signal = AbortSignal.timeout(step.timeoutMs);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port);
  // Loaded only now: with node:http Node loads its own fetch too, which would cost every run 20 ms.
  const [http, tls] = await Promise.all([import('node:http'), import('node:tls')]);
  const stream = await abortable(dial(host, port), signal);
  const socket = secure
    ? tls.connect({ socket: stream, servername: host, rejectUnauthorized: step.validateCerts })
    : stream;
  try {
    return await new Promise<Response>((resolve, reject) => {
      const request = http.request({
        method: step.method,
        path: `${url.pathname}${url.search}`,
        headers: { host: url.host, connection: 'close', ...step.headers },
        createConnection: () => socket,
        signal,
      });
      request.on('error', reject);
      request.on('response', (response: IncomingMessage) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: Object.fromEntries(
              Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
            ),
            body: Buffer.concat(chunks),
          }),
        );
      });
      request.end(step.body);
    });
  } finally {
    socket.destroy();
  }
}

async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('timed out')), { once: true });
    promise.then(resolve, reject);
  });
}
