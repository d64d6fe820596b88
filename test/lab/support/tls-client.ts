// A client that begins a new TLS connection for each request: node tls-client.ts ADDRESS NAME ROOT-FILE STOP-FILE. It ends
// when the stop file is there, with one line of JSON (`TlsReport`).
import { existsSync, readFileSync } from 'node:fs';
import { request } from 'node:https';
import { setTimeout as wait } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';

export interface TlsReport {
  /** Connections that were begun, each with a certificate that the root vouches for, and answered with 200. */
  readonly answered: number;
  readonly failures: readonly string[];
  /** The certificates that were seen, in their order. */
  readonly serials: readonly string[];
}

const PER_SECOND = 40;
const [address = '', name = '', rootFile = '', stopFile = ''] = process.argv.slice(2);
const ca = readFileSync(rootFile);
const failures: string[] = [];
const serials: string[] = [];
let answered = 0;

async function once(): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const asked = request(
      {
        host: address,
        servername: name,
        path: '/health',
        headers: { host: name },
        ca,
        agent: false,
        timeout: 10_000,
      },
      (response) => {
        const { serialNumber } = (response.socket as TLSSocket).getPeerCertificate();
        if (serials.at(-1) !== serialNumber) serials.push(serialNumber);
        response.resume();
        response.on('error', reject);
        response.on('end', () =>
          response.statusCode === 200 ? resolve() : reject(new Error(`status ${response.statusCode}`)),
        );
      },
    );
    asked.on('timeout', () => asked.destroy(new Error('no answer')));
    asked.on('error', reject);
    asked.end();
  });
}

const running = new Set<Promise<void>>();
while (!existsSync(stopFile)) {
  const one = once()
    .then(
      () => void answered++,
      (error: unknown) => void failures.push(`${new Date().toISOString()} ${String(error)}`),
    )
    .finally(() => running.delete(one));
  running.add(one);
  await wait(1000 / PER_SECOND);
}
await Promise.all(running);
process.stdout.write(`${JSON.stringify({ answered, failures, serials } satisfies TlsReport)}\n`);
