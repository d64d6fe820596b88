import { createHash, randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';

import type { ProxyFor } from '../lib/apt-proxy.ts';

/*
 * A caching proxy for Debian packages. Several hosts ask for the same file at the same time, so a file that is being
 * downloaded is served to all of them as it grows. Several labs share the directory: a finished file is renamed into
 * place, so no lock is needed; at worst two labs fetch a file twice.
 */

const metaSchema = z.object({
  url: z.string(),
  size: z.number(),
  /** When it was fetched or last confirmed by the server, in milliseconds. */
  checked: z.number(),
  lastModified: z.string().optional(),
  etag: z.string().optional(),
  type: z.string().optional(),
});

type Meta = z.infer<typeof metaSchema>;

/** What the cache did since it was started. */
export interface PackageCacheStatistics {
  hits: number;
  misses: number;
  revalidated: number;
  bytesFetched: number;
  bytesServed: number;
}

export interface PackageCacheOptions {
  readonly directory: string;
  /** How long an index (a file whose name does not fix its content) is served without asking again. */
  readonly indexLifetimeMs?: number;
  readonly log?: (line: string) => void;
  /** The proxy that this machine needs to reach a source; none by default. */
  readonly proxyFor?: ProxyFor;
}

const DAY = 86_400_000;
const FORGOTTEN_AFTER = 90 * DAY;

/** Whether a URL names one content for ever: package files, and indexes by their hash. */
export function isImmutable(url: string): boolean {
  const path = new URL(url).pathname;
  return path.includes('/by-hash/') || (path.includes('/pool/') && /\.(deb|udeb|dsc|tar\.\w+)$/.test(path));
}

/** A proxy server that is not listening yet. `GET /statistics` tells what it did. */
export function packageCache(options: PackageCacheOptions): http.Server {
  const lifetime = options.indexLifetimeMs ?? DAY;
  const log = options.log ?? (() => {});
  const proxyFor = options.proxyFor ?? (() => undefined);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 8, timeout: 30_000 });
  const downloads = new Map<string, Download>();
  const statistics: PackageCacheStatistics = {
    hits: 0,
    misses: 0,
    revalidated: 0,
    bytesFetched: 0,
    bytesServed: 0,
  };

  return http.createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      log(`${request.url}: ${String(error)}`);
      if (response.headersSent) response.destroy();
      else refuse(response, 502, error instanceof Error ? error.message : String(error));
    });
  });

  async function handle(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const url = request.url ?? '';
    if (request.method === 'GET' && url === '/statistics') {
      response.setHeader('content-type', 'application/json');
      response.end(`${JSON.stringify(statistics)}\n`);
      return;
    }
    if (!url.startsWith('http://'))
      return refuse(response, 400, 'this is a proxy for http:// package sources');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return refuse(response, 501, 'the package cache of the lab knows GET and HEAD only');
    }
    const key = keyOf(url);
    const cached = await readMeta(key);
    if (cached && (isImmutable(url) || Date.now() - cached.checked < lifetime)) {
      statistics.hits++;
      return serveFile(request, response, key, cached);
    }
    let download = downloads.get(key);
    if (!download) {
      download = new Download();
      downloads.set(key, download);
      void fetchInto(download, url, key, cached).finally(() => downloads.delete(key));
    }
    const outcome = await download.begun;
    switch (outcome.kind) {
      case 'unchanged':
        return serveFile(request, response, key, outcome.meta);
      case 'other':
        response.writeHead(outcome.status, outcome.headers);
        response.end();
        return;
      case 'error':
        return refuse(response, 503, outcome.message);
      case 'body':
        return serveGrowing(request, response, download, outcome);
      default:
        throw new Error('unexpected outcome');
    }
  }

  /** Asks the server; whatever happens is an outcome of the download, and never an exception. */
  async function fetchInto(
    download: Download,
    url: string,
    key: string,
    cached: Meta | undefined,
  ): Promise<void> {
    const path = objectPath(key);
    const temporary = `${path}.${randomUUID()}.part`;
    try {
      const upstream = await request(url, proxyFor(new URL(url)), agent, {
        ...(cached?.lastModified && { 'if-modified-since': cached.lastModified }),
        ...(cached?.etag && { 'if-none-match': cached.etag }),
      });
      const status = upstream.statusCode ?? 0;
      if (status === 304 && cached) {
        upstream.resume();
        const meta = { ...cached, checked: Date.now() };
        await writeMeta(key, meta);
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
      await writeMeta(key, { ...head, size, checked: Date.now() });
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

  async function serveFile(
    request: http.IncomingMessage,
    response: http.ServerResponse,
    key: string,
    meta: Meta,
  ): Promise<void> {
    const headers = responseHeaders(meta);
    if (notModified(request, meta)) {
      response.writeHead(304, headers);
      response.end();
      return;
    }
    response.writeHead(200, { ...headers, 'content-length': meta.size });
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    const now = new Date();
    await utimes(objectPath(key), now, now);
    statistics.bytesServed += meta.size;
    await pipeline(createReadStream(objectPath(key)), response).catch(ignoreHangUp);
  }

  /** Sends a file while it is being downloaded, however far the download is. */
  async function serveGrowing(
    request: http.IncomingMessage,
    response: http.ServerResponse,
    download: Download,
    body: Extract<Outcome, { kind: 'body' }>,
  ): Promise<void> {
    if (notModified(request, body.head)) {
      response.writeHead(304, responseHeaders(body.head));
      response.end();
      return;
    }
    // Opened before the first byte is sent: the file is renamed when it is complete, and the handle stays good.
    const file = await open(body.temporary, 'r').catch(() => open(objectPath(keyOf(body.head.url)), 'r'));
    try {
      response.writeHead(200, {
        ...responseHeaders(body.head),
        ...(body.expected !== undefined && { 'content-length': body.expected }),
      });
      if (request.method === 'HEAD') {
        response.end();
        return;
      }
      const buffer = Buffer.alloc(65_536);
      let sent = 0;
      while (!response.destroyed) {
        const { bytesRead } = await file.read(buffer, 0, buffer.length, sent);
        if (bytesRead === 0) {
          if (download.size !== undefined && sent >= download.size) break;
          await download.progress();
          continue;
        }
        sent += bytesRead;
        statistics.bytesServed += bytesRead;
        if (!response.write(Buffer.from(buffer.subarray(0, bytesRead)))) {
          await drained(response);
        }
      }
      response.end();
    } finally {
      await file.close();
    }
  }

  function objectPath(key: string): string {
    return join(options.directory, key.slice(0, 2), key);
  }

  async function readMeta(key: string): Promise<Meta | undefined> {
    const text = await readFile(`${objectPath(key)}.json`, 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    const meta = metaSchema.safeParse(parseJson(text));
    // A file whose size is not the one that was noted is as good as none: the machine may have crashed.
    const file = await stat(objectPath(key)).catch(() => undefined);
    return meta.success && file?.size === meta.data.size ? meta.data : undefined;
  }

  async function writeMeta(key: string, meta: Meta): Promise<void> {
    const temporary = `${objectPath(key)}.${randomUUID()}.part`;
    await writeFile(temporary, JSON.stringify(meta));
    await rename(temporary, `${objectPath(key)}.json`);
  }
}

/** Removes what nobody asked for in three months, and what a crash left half fetched. */
export async function pruneCache(directory: string): Promise<void> {
  const limit = Date.now() - FORGOTTEN_AFTER;
  for (const shard of await readdir(directory).catch(() => [])) {
    for (const name of await readdir(join(directory, shard)).catch(() => [])) {
      const path = join(directory, shard, name);
      const file = await stat(path).catch(() => undefined);
      if (!file) continue;
      const abandoned = name.endsWith('.part') && file.mtimeMs < Date.now() - DAY;
      if (abandoned || (!name.endsWith('.json') && file.mtimeMs < limit)) {
        await rm(path, { force: true });
        await rm(`${path}.json`, { force: true });
      }
    }
  }
}

type Head = Pick<Meta, 'url' | 'lastModified' | 'etag' | 'type'>;

type Outcome =
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
class Download {
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

/** Waits until a response takes more, or nobody wants it any more. */
async function drained(response: http.ServerResponse): Promise<void> {
  // Whichever comes second must not go on listening: one connection may wait thousands of times.
  const over = new AbortController();
  try {
    const { signal } = over;
    await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })]);
  } finally {
    over.abort();
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

function responseHeaders(meta: Head): http.OutgoingHttpHeaders {
  return {
    ...(meta.lastModified !== undefined && { 'last-modified': meta.lastModified }),
    ...(meta.etag !== undefined && { etag: meta.etag }),
    'content-type': meta.type ?? 'application/octet-stream',
  };
}

function notModified(request: http.IncomingMessage, meta: Head): boolean {
  const since = request.headers['if-modified-since'];
  if (since === undefined || meta.lastModified === undefined) return false;
  return Date.parse(since) >= Date.parse(meta.lastModified);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function keyOf(url: string): string {
  return createHash('sha256').update(url).digest('hex');
}

function refuse(response: http.ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'text/plain' });
  response.end(`${message}\n`);
}

function ignoreHangUp(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE' && error.code !== 'EPIPE' && error.code !== 'ECONNRESET')
    throw error;
}
