import { createServer } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';

import { EXPOSITION_TYPE } from '../../lib/exposition.ts';

export interface MetricsEndpoint {
  readonly host: string;
  readonly port: number;
  /** What is answered now. */
  readonly text: () => string;
  readonly signal: AbortSignal;
  /** Told once in a row of failures; the endpoint is tried again and again. */
  readonly onFailure: (message: string) => void;
  readonly onListening?: ((port: number) => void) | undefined;
  /** Before another attempt; shorter in tests. */
  readonly pauseMs?: number | undefined;
}

const PAUSE_MS = 10_000;

/**
 * Answers GET /metrics until the signal. An address that cannot be had is no reason to end: what is measured matters more
 * than its figures.
 */
export async function serveMetrics(endpoint: MetricsEndpoint): Promise<void> {
  const { signal, onFailure, pauseMs = PAUSE_MS } = endpoint;
  let isTold = false;
  while (!signal.aborted) {
    try {
      await serveOnce(endpoint);
      isTold = false;
    } catch (error) {
      if (!isTold) onFailure(error instanceof Error ? error.message : String(error));
      isTold = true;
      await wait(pauseMs, undefined, { signal }).catch(() => {});
    }
  }
}

/** Resolves after the signal; rejects when the address cannot be had. */
async function serveOnce({ host, port, text, signal, onListening }: MetricsEndpoint): Promise<void> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://metrics');
    const isKnown = pathname === '/metrics' && (request.method === 'GET' || request.method === 'HEAD');
    response.writeHead(isKnown ? 200 : 404, { 'content-type': isKnown ? EXPOSITION_TYPE : 'text/plain' });
    response.end(isKnown ? text() : 'GET /metrics\n');
  });
  // One scraper or two, and a connection that says nothing is ended.
  server.maxConnections = 20;
  server.requestTimeout = 10_000;
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  signal.addEventListener('abort', close, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.once('close', resolve);
      server.listen({ host, port }, () => {
        const address = server.address();
        if (typeof address === 'object' && address !== null) onListening?.(address.port);
        if (signal.aborted) close();
      });
    });
  } finally {
    signal.removeEventListener('abort', close);
  }
}
