import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { open, utimes } from 'node:fs/promises';
import http from 'node:http';
import { pipeline } from 'node:stream/promises';

import type { ProxyFor } from '../lib/apt-proxy.ts';
import { Download, type Fetching, fetchInto, type Outcome } from './package-download.ts';
import { DAY, type Head, type Meta, objectPath, readMeta } from './package-store.ts';

/*
 * A caching proxy for Debian packages. Several hosts ask for the same file at the same time, so a file that is being
 * downloaded is served to all of them as it grows.
 */

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

/** Whether a URL names one content for ever: package files, and indexes by their hash. */
export function isImmutable(url: string): boolean {
  const path = new URL(url).pathname;
  return path.includes('/by-hash/') || (path.includes('/pool/') && /\.(deb|udeb|dsc|tar\.\w+)$/.test(path));
}

/** A proxy server that is not listening yet. `GET /statistics` tells what it did. */
export function packageCache(options: PackageCacheOptions): http.Server {
  const cache = new PackageCache(options);
  return http.createServer((request, response) => {
    cache.handle(request, response).catch((error: unknown) => {
      cache.log(`${request.url}: ${String(error)}`);
      if (response.headersSent) response.destroy();
      else refuse(response, 502, error instanceof Error ? error.message : String(error));
    });
  });
}

class PackageCache implements Fetching {
  readonly directory: string;
  readonly agent = new http.Agent({ keepAlive: true, maxSockets: 8, timeout: 30_000 });
  readonly proxyFor: ProxyFor;
  readonly log: (line: string) => void;
  readonly statistics: PackageCacheStatistics = {
    hits: 0,
    misses: 0,
    revalidated: 0,
    bytesFetched: 0,
    bytesServed: 0,
  };
  readonly #lifetimeMs: number;
  readonly #downloads = new Map<string, Download>();

  constructor(options: PackageCacheOptions) {
    this.directory = options.directory;
    this.#lifetimeMs = options.indexLifetimeMs ?? DAY;
    this.log = options.log ?? (() => {});
    this.proxyFor = options.proxyFor ?? (() => undefined);
  }

  async handle(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const url = request.url ?? '';
    if (request.method === 'GET' && url === '/statistics') {
      response.setHeader('content-type', 'application/json');
      response.end(`${JSON.stringify(this.statistics)}\n`);
      return;
    }
    if (!url.startsWith('http://'))
      return refuse(response, 400, 'this is a proxy for http:// package sources');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return refuse(response, 501, 'the package cache of the lab knows GET and HEAD only');
    }
    const cached = await readMeta(this.directory, url);
    if (cached && (isImmutable(url) || Date.now() - cached.checked < this.#lifetimeMs)) {
      this.statistics.hits++;
      return this.#serveFile(request, response, cached);
    }
    let download = this.#downloads.get(url);
    if (!download) {
      download = new Download();
      this.#downloads.set(url, download);
      void fetchInto(download, url, cached, this).finally(() => this.#downloads.delete(url));
    }
    const outcome = await download.begun;
    switch (outcome.kind) {
      case 'unchanged':
        return this.#serveFile(request, response, outcome.meta);
      case 'other':
        response.writeHead(outcome.status, outcome.headers);
        response.end();
        return;
      case 'error':
        return refuse(response, 503, outcome.message);
      case 'body':
        return this.#serveGrowing(request, response, download, outcome);
      default:
        throw new Error('unexpected outcome');
    }
  }

  async #serveFile(request: http.IncomingMessage, response: http.ServerResponse, meta: Meta): Promise<void> {
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
    const path = objectPath(this.directory, meta.url);
    await utimes(path, now, now);
    this.statistics.bytesServed += meta.size;
    await pipeline(createReadStream(path), response).catch(ignoreHangUp);
  }

  /** Sends a file while it is being downloaded, however far the download is. */
  async #serveGrowing(
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
    const path = objectPath(this.directory, body.head.url);
    const file = await open(body.temporary, 'r').catch(() => open(path, 'r'));
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
        this.statistics.bytesServed += bytesRead;
        if (!response.write(Buffer.from(buffer.subarray(0, bytesRead)))) {
          await drained(response);
        }
      }
      response.end();
    } finally {
      await file.close();
    }
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

function refuse(response: http.ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'text/plain' });
  response.end(`${message}\n`);
}

function ignoreHangUp(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE' && error.code !== 'EPIPE' && error.code !== 'ECONNRESET')
    throw error;
}
