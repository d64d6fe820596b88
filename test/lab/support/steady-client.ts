// A client of the site in a process of its own: `node steady-client.ts ADDRESS STOP-FILE`. It asks steadily, in every way
// that a connection can be used, and never asks again what has failed. When the file is there it stops, and prints what
// it has seen as one line of JSON.

import { existsSync } from 'node:fs';
import http from 'node:http';
import http2, { type ClientHttp2Session } from 'node:http2';
import https from 'node:https';
import { isIPv6 } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** What the client prints at its end. */
export interface Seen {
  readonly answered: number;
  readonly failed: readonly string[];
  /** Connections that the site has closed after an answer, and sessions that it has ended. */
  readonly closed: number;
  /** Milliseconds until quick requests were answered. */
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly slowest: number;
}

const KEPT = 20;
const SINGLE = 2;
const SLOW = 8;
const SESSIONS = 3;
const STREAMS = 3;
const PIECES = 10;
const PIECE_MS = 300;
const PAUSE_MS = 100;

const [address = '', stopFile = ''] = process.argv.slice(2);
const host = isIPv6(address) ? `[${address}]` : address;
const startedAt = performance.now();
const times: number[] = [];
const failed: string[] = [];
let answered = 0;
let closed = 0;

const goesOn = (): boolean => !existsSync(stopFile);

async function count(what: string, quick: boolean, ask: () => Promise<number>): Promise<void> {
  const askedAt = performance.now();
  try {
    const status = await ask();
    if (status !== 200 && status !== 201) throw new Error(`status ${status}`);
    answered++;
    if (quick) times.push(performance.now() - askedAt);
  } catch (error) {
    const at = ((askedAt - startedAt) / 1000).toFixed(1);
    failed.push(
      `${what}, asked at ${at} s, after ${Math.round(performance.now() - askedAt)} ms: ${(error as Error).message}`,
    );
  }
}

interface Request {
  readonly tls: boolean;
  readonly agent: http.Agent | false;
  /** A body that is sent piece by piece. */
  readonly body?: readonly string[];
}

async function request({ tls, agent, body }: Request): Promise<number> {
  const options = { agent, rejectUnauthorized: false, method: body === undefined ? 'GET' : 'POST' };
  const url = `${tls ? 'https' : 'http'}://${host}${body === undefined ? '/' : '/api/messages'}`;
  return await new Promise<number>((resolve, reject) => {
    const sent = (tls ? https : http).request(url, options, (answer) => {
      if (agent !== false && answer.headers.connection === 'close') closed++;
      answer
        .on('error', reject)
        .on('end', () => resolve(answer.statusCode ?? 0))
        .resume();
    });
    sent.on('error', reject);
    void (async () => {
      if (body !== undefined) {
        sent.setHeader('content-type', 'application/json');
        sent.setHeader('content-length', body.join('').length);
      }
      for (const piece of body ?? []) {
        sent.write(piece);
        await delay(PIECE_MS);
      }
      sent.end();
    })();
  });
}

/** One request after the other on a connection that stays open. */
async function kept(tls: boolean): Promise<void> {
  const agent = new (tls ? https : http).Agent({ keepAlive: true, maxSockets: 1 });
  while (goesOn()) {
    await count('kept connection', true, async () => await request({ tls, agent }));
    await delay(PAUSE_MS);
  }
  agent.destroy();
}

async function single(tls: boolean): Promise<void> {
  while (goesOn()) {
    await count('single request', true, async () => await request({ tls, agent: false }));
    await delay(PAUSE_MS);
  }
}

/** A request that takes seconds to be sent. */
async function slow(tls: boolean): Promise<void> {
  const text = JSON.stringify({ author: 'slow', body: 'a message that takes its time to be sent' });
  const size = Math.ceil(text.length / PIECES);
  const body = Array.from({ length: PIECES }, (_, index) => text.slice(index * size, (index + 1) * size));
  while (goesOn()) await count('slow request', false, async () => await request({ tls, agent: false, body }));
}

/** Several requests at once on a session, and a new session when the site has ended it. */
async function streams(): Promise<void> {
  let session: ClientHttp2Session | undefined;
  while (goesOn()) {
    session = session?.closed === false ? session : await openSession();
    const mine = session;
    await Promise.all(
      Array.from(
        { length: STREAMS },
        async () => await count('stream', true, async () => await stream(mine)),
      ),
    );
    await delay(PAUSE_MS);
  }
  session?.close();
}

async function openSession(): Promise<ClientHttp2Session> {
  const session = http2.connect(`https://${host}`, { rejectUnauthorized: false });
  session.on('error', () => {}).on('goaway', () => closed++);
  await new Promise((resolve) => session.once('connect', resolve).once('close', resolve));
  return session;
}

async function stream(session: ClientHttp2Session): Promise<number> {
  try {
    return await streamOn(session);
  } catch (error) {
    // The session was ended before the request was sent: its sender's library says so, and the site has never seen it.
    if (!/REFUSED_STREAM|GOAWAY/.test((error as Error).message)) throw error;
    const next = await openSession();
    try {
      return await streamOn(next);
    } finally {
      next.close();
    }
  }
}

async function streamOn(session: ClientHttp2Session): Promise<number> {
  return await new Promise<number>((resolve, reject) => {
    let status = 0;
    const asked = session.request({ ':path': '/' });
    asked.on('response', (headers) => (status = Number(headers[':status'])));
    asked
      .on('error', reject)
      .on('end', () => resolve(status))
      .on('close', () => reject(new Error('closed')))
      .resume();
  });
}

const many = (amount: number, one: (tls: boolean) => Promise<void>): readonly Promise<void>[] =>
  Array.from({ length: amount }, async (_, index) => {
    // Not in step with each other.
    await delay(((PIECES * PIECE_MS) / amount) * index);
    await one(index % 2 === 1);
  });

await Promise.all([
  ...many(KEPT, kept),
  ...many(SINGLE, single),
  ...many(SLOW, slow),
  ...many(SESSIONS, streams),
]);
times.sort((a, b) => a - b);
const at = (share: number): number => Math.round(times[Math.floor(share * (times.length - 1))] ?? 0);
const seen: Seen = {
  answered,
  failed,
  closed,
  p50: at(0.5),
  p99: at(0.99),
  p999: at(0.999),
  slowest: at(1),
};
process.stdout.write(`${JSON.stringify(seen)}\n`);
