// A client of the site that never asks twice: node load-client.ts URL STOP-FILE. It ends when the file is there, with one
// line of JSON (`LoadReport`). Each lane is a way in which clients use a site, at a steady rate of its own.
import { existsSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { connect, type ClientHttp2Session } from 'node:http2';
import { setTimeout as wait } from 'node:timers/promises';

export interface LoadReport {
  readonly requests: number;
  /** Of each lane. */
  readonly lanes: Readonly<Record<string, number>>;
  /** Everything but 2xx, and requests without an answer: lane, moment (ms since 1970), what. */
  readonly failures: readonly string[];
  /** How many messages were accepted: each is in the database then, for ever. */
  readonly written: number;
  /** Those of them that the site did not show within half a minute afterwards. */
  readonly lost: readonly string[];
  readonly ms: { readonly p50: number; readonly p99: number; readonly p999: number; readonly worst: number };
}

type Ask = () => Promise<void>;

const PER_SECOND = { kept: 50, fresh: 25, h2: 25, writes: 15 } as const;
const PATIENCE_MS = 30_000;
const PAGE = 50;

const [site = '', stopFile = ''] = process.argv.slice(2);
const base = new URL(site);
const written: string[] = [];
const failures: string[] = [];
const times: number[] = [];
const lanes: Record<string, number> = {};
const running = new Set<Promise<void>>();

/** One request over HTTP/1.1; `agent` decides whether its connection is used again. */
async function ask(agent: Agent, path: string, body?: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const request = httpRequest(new URL(path, base), {
      agent,
      method: body === undefined ? 'GET' : 'POST',
      signal: AbortSignal.timeout(PATIENCE_MS),
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
    });
    request.on('error', reject);
    request.on('response', (response) => {
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode = 0 } = response;
        if (statusCode >= 200 && statusCode < 300) resolve();
        else reject(new Error(`status ${statusCode}`));
      });
      response.resume();
    });
    request.end(body);
  });
}

/** One request as a stream of an HTTP/2 connection, which is opened anew when the server has said that it goes away. */
function h2Lane(): Ask {
  let session: ClientHttp2Session | undefined;
  return async () => {
    if (session === undefined || session.closed || session.destroyed) {
      const opened = connect(`https://${base.hostname}`, { rejectUnauthorized: false });
      session = opened;
      const forget = (): void => {
        if (session === opened) session = undefined;
      };
      opened.on('goaway', forget);
      opened.on('close', forget);
      opened.on('error', forget);
    }
    const stream = session.request({ ':path': '/api/messages?limit=5' });
    await new Promise<void>((resolve, reject) => {
      let status = 0;
      stream.setTimeout(PATIENCE_MS, () => reject(new Error('no answer')));
      stream.on('response', (headers) => (status = headers[':status'] ?? 0));
      stream.on('error', reject);
      stream.on('end', () =>
        status >= 200 && status < 300 ? resolve() : reject(new Error(`status ${status}`)),
      );
      stream.on('close', () => reject(new Error(`closed with code ${stream.rstCode}`)));
      stream.resume();
      stream.end();
    });
  };
}

async function lane(name: string, perSecond: number, once: Ask): Promise<void> {
  lanes[name] = 0;
  let due = performance.now();
  while (!existsSync(stopFile)) {
    due += 1000 / perSecond;
    const one = measured(name, once).finally(() => running.delete(one));
    running.add(one);
    const pause = due - performance.now();
    if (pause > 0) await wait(pause);
    // A machine that stood still is not made up for.
    else if (pause < -1000) due = performance.now();
  }
}

async function measured(name: string, once: Ask): Promise<void> {
  const startedAt = performance.now();
  lanes[name] = (lanes[name] ?? 0) + 1;
  try {
    await once();
    times.push(performance.now() - startedAt);
  } catch (error) {
    const took = Math.round(performance.now() - startedAt);
    failures.push(
      `${name} ${Date.now()} after ${took} ms: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** Reads the site's messages from the newest on until all that were written are found; gives back those that are not there. */
async function missing(): Promise<readonly string[]> {
  const left = new Set(written);
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    let before = '';
    while (left.size > 0) {
      const response = await fetch(new URL(`/api/messages?limit=${PAGE}${before}`, base));
      const { messages } = (await response.json()) as {
        readonly messages: readonly { readonly id: number; readonly body: string }[];
      };
      for (const { body } of messages) left.delete(body);
      const last = messages.at(-1);
      if (last === undefined) break;
      before = `&before=${last.id}`;
    }
    if (left.size === 0 || performance.now() > until) return [...left];
    await wait(1000);
  }
}

// HAProxy closes what was idle for 15 s: who asks in that very moment gets no answer, whatever else happens.
const kept = new Agent({ keepAlive: true, maxSockets: 20, timeout: 10_000 });
const fresh = new Agent({ keepAlive: false });
let count = 0;
await Promise.all([
  lane('kept', PER_SECOND.kept, async () => await ask(kept, '/api/messages?limit=5')),
  lane('fresh', PER_SECOND.fresh, async () => await ask(fresh, '/api/whoami')),
  lane('h2', PER_SECOND.h2, h2Lane()),
  lane('writes', PER_SECOND.writes, async () => {
    const text = `load ${process.pid} ${++count}`;
    await ask(kept, '/api/messages', JSON.stringify({ author: 'load', body: text }));
    written.push(text);
  }),
]);
await Promise.all(running);
times.sort((a, b) => a - b);
const at = (share: number): number =>
  Math.round(times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0);
const report: LoadReport = {
  requests: Object.values(lanes).reduce((sum, each) => sum + each, 0),
  lanes,
  failures,
  written: written.length,
  lost: await missing(),
  ms: { p50: at(0.5), p99: at(0.99), p999: at(0.999), worst: at(1) },
};
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit());
