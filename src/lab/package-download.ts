import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import http from 'node:http';
import { join } from 'node:path';

import type { ProxyFor } from '../lib/apt-proxy.ts';
import { type Head, type Meta, objectPath, writeMeta } from './package-store.ts';

/** What a download needs of the cache. */
export interface Fetching {
  readonly directory: string;
  readonly agent: http.Agent;
  readonly proxyFor: ProxyFor;
  readonly log: (line: string) => void;
  readonly statistics: { misses: number; revalidated: number; bytesFetched: number };
}

/** What a server's answer comes to. */
export type Outcome =
  | {
      readonly kind: 'body';
      readonly temporary: string;
      readonly expected: number | undefined;
      readonly head: Head;
    }
  | { readonly kind: 'unchanged'; readonly meta: Meta }
  | { readonly kind: 'other'; readonly status: number; readonly headers: http.OutgoingHttpHeaders }
  | { readonly kind: 'error'; readonly message: string };

/** A download in progress, which any number of requests follow. */
export class Download {
  readonly begun: Promise<Outcome>;
  begin!: (outcome: Outcome) => void;
  /** The final size, once complete. */
  size: number | undefined;
  #error: Error | undefined;
  readonly #events = new EventEmitter().setMaxListeners(0);

  constructor() {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    this.begun = promise;
    this.begin = resolve;
  }

  grow(): void {
    this.#events.emit('progress');
  }

  finish(size: number): void {
    this.size = size;
    this.#events.emit('progress');
  }

  fail(error: Error): void {
    this.#error = error;
    this.#events.emit('progress');
  }

  /** Waits for more bytes or the end. */
  async progress(): Promise<void> {
    this.#stopIfFailed();
    if (this.size !== undefined) return;
    await once(this.#events, 'progress');
    this.#stopIfFailed();
  }

  #stopIfFailed(): void {
    if (this.#error) throw this.#error;
  }
}

/** Asks the server; whatever happens is an outcome of the download, and never an exception. */
export async function fetchInto(
  download: Download,
  url: string,
  cached: Meta | undefined,
  fetching: Fetching,
): Promise<void> {
  const { directory, agent, log, statistics } = fetching;
  const path = objectPath(directory, url);
  const temporary = `${path}.${randomUUID()}.part`;
  try {
    const upstream = await request(url, fetching.proxyFor(new URL(url)), agent, {
      ...(cached?.lastModified && { 'if-modified-since': cached.lastModified }),
      ...(cached?.etag && { 'if-none-match': cached.etag }),
    });
    const status = upstream.statusCode ?? 0;
    if (status === 304 && cached) {
      upstream.resume();
      const meta = { ...cached, checked: Date.now() };
      await writeMeta(directory, meta);
      statistics.revalidated++;
      return download.begin({ kind: 'unchanged', meta });
    }
    if (status !== 200) {
      upstream.resume();
      if (status >= 500 && cached) return download.begin({ kind: 'unchanged', meta: cached });
      const location = upstream.headers.location;
      return download.begin({ kind: 'other', status, headers: location === undefined ? {} : { location } });
    }
    statistics.misses++;
    log(`fetch ${url}`);
    await mkdir(join(path, '..'), { recursive: true });
    const length = upstream.headers['content-length'];
    const expected = length === undefined ? undefined : Number(length);
    const head = {
      url,
      // Some mirrors do not say. Then it is not newer than now, and apt can ask for changes since.
      lastModified: upstream.headers['last-modified'] ?? new Date().toUTCString(),
      etag: upstream.headers.etag,
      type: upstream.headers['content-type'],
    };
    const file = createWriteStream(temporary);
    await once(file, 'open');
    download.begin({ kind: 'body', temporary, expected, head });
    for await (const chunk of upstream as AsyncIterable<Buffer>) {
      if (!file.write(chunk)) await once(file, 'drain');
      statistics.bytesFetched += chunk.length;
      download.grow();
    }
    file.end();
    await once(file, 'finish');
    const size = file.bytesWritten;
    if (expected !== undefined && size !== expected) throw new Error(`${url} broke off at ${size} bytes`);
    await rename(temporary, path);
    await writeMeta(directory, { ...head, size, checked: Date.now() });
    download.finish(size);
  } catch (error) {
    await rm(temporary, { force: true });
    const message = `${url}: ${error instanceof Error ? error.message : String(error)}`;
    log(message);
    if (cached) download.begin({ kind: 'unchanged', meta: cached });
    else download.begin({ kind: 'error', message });
    download.fail(new Error(message));
  }
}

function request(
  url: string,
  proxy: URL | undefined,
  agent: http.Agent,
  headers: http.OutgoingHttpHeaders,
): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const all = { 'user-agent': 'understudy-package-cache', ...headers };
    const sent =
      proxy === undefined
        ? http.get(url, { agent, headers: all }, resolve)
        : http.get(
            proxy,
            { agent, path: url, headers: { host: new URL(url).host, ...credentials(proxy), ...all } },
            resolve,
          );
    sent.on('error', reject);
    sent.on('timeout', () => sent.destroy(new Error('no answer for 30 s')));
  });
}

function credentials(proxy: URL): http.OutgoingHttpHeaders {
  if (proxy.username === '') return {};
  const text = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(text).toString('base64')}` };
}
