import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';

import { UserError } from '../lib/errors.ts';
import { hostPort, parseHostPort } from '../lib/host-port.ts';
import type { PageAssets } from './assets.ts';
import { ICON, pageDocument } from './document.ts';
import type { PageState } from './model/state.ts';
import type { Observation } from './observation.ts';

export interface PageServerOptions {
  readonly observation: Observation;
  readonly assets: PageAssets;
  /** Where it listens. Whoever gets there sees everything, so it is a loopback address. */
  readonly host?: string | undefined;
  /** 0: any that is free. */
  readonly port: number;
  /** Between the comments that keep a silent stream open; tests are shorter. */
  readonly commentMs?: number | undefined;
}

export interface PageServer {
  readonly port: number;
  close(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';
const COMMENT_MS = 15_000;
const RETRY_MS = 1000;
/** How long who asks for the state alone waits for a first look at everything. */
const PATIENCE_MS = 5000;
/** More are not people. */
const MOST_STREAMS = 200;
/** What a browser on the other end of a tunnel calls us. Another name leads here by the DNS of somebody else. */
const OWN_NAMES = new Set(['localhost', '127.0.0.1', '::1']);

/** Serves the page, and the states as server-sent events. It only ever reads. */
export async function servePage(options: PageServerOptions): Promise<PageServer> {
  const { host = LOOPBACK, port } = options;
  const server = serve({ fetch: pageApp(options).fetch, hostname: host, port }) as Server;
  try {
    if (!server.listening) await once(server, 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error;
    throw new UserError(
      {
        message: `cannot listen on ${hostPort(host, port)}: ${code === 'EACCES' ? 'not allowed' : 'another program does'}`,
        hint: 'name another one with --port',
      },
      { cause: error },
    );
  }
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      // Streams have no end of their own.
      server.closeAllConnections();
      await closed;
    },
  };
}

/** The routes; a way for actions would be one of its own, with its own check of who comes. */
export function pageApp({
  observation,
  assets,
  commentMs = COMMENT_MS,
}: Omit<PageServerOptions, 'host' | 'port'>): Hono {
  const { html, policy } = pageDocument(assets);
  const compressed = gzipSync(html);
  const app = new Hono();

  app.use(async (context, next) => {
    const name = parseHostPort(context.req.header('host') ?? '', 80)?.host;
    if (name === undefined || !OWN_NAMES.has(name)) {
      return context.text('This page is for who comes by a tunnel: open http://localhost.\n', 421);
    }
    await next();
    context.header('content-security-policy', policy);
    context.header('x-content-type-options', 'nosniff');
    context.header('referrer-policy', 'no-referrer');
    context.header('cross-origin-resource-policy', 'same-origin');
    context.header('cross-origin-opener-policy', 'same-origin');
    context.header('cache-control', 'no-store');
    return undefined;
  });

  app.get('/', (context) => {
    context.header('content-type', 'text/html; charset=utf-8');
    context.header('vary', 'accept-encoding');
    if (!/\bgzip\b/.test(context.req.header('accept-encoding') ?? '')) return context.body(html);
    context.header('content-encoding', 'gzip');
    return context.body(new Uint8Array(compressed));
  });

  app.get('/icon.svg', (context) => {
    context.header('content-type', 'image/svg+xml');
    return context.body(ICON);
  });

  app.get('/state', async (context) => {
    const state = await completeState(observation, context.req.raw.signal);
    return state === undefined ? context.body(null, 503) : context.json(state);
  });

  app.get('/events', (context) => {
    if (observation.watchers >= MOST_STREAMS) return context.text('Too many pages are open.\n', 503);
    context.header('x-accel-buffering', 'no');
    return streamSSE(context, async (stream) => {
      const ended = new AbortController();
      stream.onAbort(() => ended.abort());
      await stream.write(`retry: ${RETRY_MS}\n\n`);
      const comments = setInterval(() => void stream.write(': still here\n\n'), commentMs);
      try {
        for await (const state of observation.states(ended.signal))
          await stream.writeSSE({ event: 'state', data: JSON.stringify(state) });
      } finally {
        clearInterval(comments);
      }
    });
  });

  return app;
}

/** Who asks once wants to hear of everything; what stays silent for longer is left out. */
async function completeState(observation: Observation, signal: AbortSignal): Promise<PageState | undefined> {
  const either = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  let last: PageState | undefined;
  for await (const state of observation.states(either)) {
    last = state;
    const isComplete =
      state.databases.every(({ status, failure }) => status !== null || failure !== null) &&
      state.balancers.every(({ servers, silence }) => servers.length > 0 || silence !== null);
    if (isComplete) break;
  }
  return last;
}
