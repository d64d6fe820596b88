// A client of the site that opens a connection for each request: node edge-client.ts ADDRESS plain|new|resumed SECONDS LANES. It
// prints one line of JSON.
import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { TLSSocket } from 'node:tls';

export interface Seen {
  readonly perSecond: number;
  readonly p99: number;
  readonly failed: number;
  /** How many of the connections resumed a session. */
  readonly resumed: number;
}

const [host = '', mode = '', seconds = '', lanes = ''] = process.argv.slice(2);
const until = performance.now() + Number(seconds) * 1000;
const times: number[] = [];
let failed = 0;
let resumed = 0;

/** Asks once; gives back the session with which the next connection may begin. */
async function ask(session: Buffer | undefined): Promise<Buffer | undefined> {
  return await new Promise((resolve, reject) => {
    const options = { host, path: '/api/whoami', agent: false as const, rejectUnauthorized: false };
    const request =
      mode === 'plain' ? plainRequest(options) : secureRequest({ ...options, ...(session && { session }) });
    let next = session;
    request.on('socket', (socket) => {
      if (mode !== 'plain') {
        socket.on('session', (given: Buffer) => (next = given));
        socket.on('secureConnect', () => (resumed += (socket as TLSSocket).isSessionReused() ? 1 : 0));
      }
    });
    request.on('error', reject);
    request.on('response', (response) => {
      response.on('end', () => {
        if (response.statusCode === 200) resolve(mode === 'resumed' ? next : undefined);
        else reject(new Error(`status ${response.statusCode}`));
      });
      response.resume();
    });
    request.end();
  });
}

await Promise.all(
  Array.from({ length: Number(lanes) }, async () => {
    let session: Buffer | undefined;
    while (performance.now() < until) {
      const askedAt = performance.now();
      try {
        session = await ask(session);
        times.push(performance.now() - askedAt);
      } catch {
        failed++;
      }
    }
  }),
);
times.sort((one, other) => one - other);
const seen: Seen = {
  perSecond: times.length / Number(seconds),
  p99: times[Math.floor(times.length * 0.99)] ?? 0,
  failed,
  resumed,
};
process.stdout.write(`${JSON.stringify(seen)}\n`);
