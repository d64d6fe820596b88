import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { isImmutable, packageCache, type PackageCacheStatistics } from '../../src/lab/package-cache.ts';

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** A mirror and the cache before it, both real, both on loopback. */
interface Setting {
  /** What the mirror was asked for. */
  readonly asked: http.IncomingMessage[];
  readonly mirror: http.Server;
  get(path: string, headers?: http.OutgoingHttpHeaders, method?: string): Promise<Answer>;
  statistics(): Promise<PackageCacheStatistics>;
}

async function setUp(
  t: ExecutionContext,
  answer: (request: http.IncomingMessage, response: http.ServerResponse) => void,
  indexLifetimeMs?: number,
): Promise<Setting> {
  const directory = await mkdtemp(join(tmpdir(), 'understudy-'));
  const asked: http.IncomingMessage[] = [];
  const mirror = http.createServer((request, response) => {
    asked.push(request);
    answer(request, response);
  });
  const proxy = packageCache({ directory, ...(indexLifetimeMs !== undefined && { indexLifetimeMs }) });
  for (const server of [mirror, proxy]) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  t.teardown(async () => {
    for (const server of [mirror, proxy]) {
      server.close();
      server.closeAllConnections();
    }
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  });
  const base = `http://127.0.0.1:${portOf(mirror)}`;
  return {
    asked,
    mirror,
    get: (path, headers = {}, method = 'GET') => ask(portOf(proxy), base + path, method, headers),
    statistics: async () =>
      JSON.parse((await ask(portOf(proxy), '/statistics', 'GET', {})).body) as PackageCacheStatistics,
  };
}

test('package files and indexes by hash never change; other indexes may', (t) => {
  t.true(isImmutable('http://m/debian/pool/main/n/nginx/nginx_1.26.3-3_amd64.deb'));
  t.true(isImmutable('http://m/debian/dists/sid/main/binary-amd64/by-hash/SHA256/ab12'));
  t.false(isImmutable('http://m/debian/dists/sid/InRelease'));
  t.false(isImmutable('http://m/debian/dists/trixie/main/binary-amd64/Packages.xz'));
});

test('hosts that ask for the same package at once cost one download', async (t) => {
  const body = 'x'.repeat(300_000);
  const setting = await setUp(t, (_, response) => response.end(body));
  const answers = await Promise.all(Array.from({ length: 6 }, () => setting.get('/pool/a_1_all.deb')));
  for (const answer of answers) t.is(answer.body, body);
  t.is((await setting.get('/pool/a_1_all.deb')).body, body);
  t.is(setting.asked.length, 1);
  t.like(await setting.statistics(), { misses: 1, bytesFetched: body.length, bytesServed: 7 * body.length });
});

test('a package is passed on while it is still being downloaded', async (t) => {
  const rest = Promise.withResolvers<void>();
  const setting = await setUp(t, (_, response) => {
    response.writeHead(200, { 'content-length': 10 });
    response.write('first');
    void rest.promise.then(() => response.end('other'));
  });
  // Were it held back until complete, the mirror would never be told to go on.
  firstByte.set('/pool/b_1_all.deb', rest.resolve);
  const answer = setting.get('/pool/b_1_all.deb');
  t.is((await answer).body, 'firstother');
});

test('an index is asked for again when its time is over, and not sent again if unchanged', async (t) => {
  const stamp = 'Sat, 12 Sep 2026 07:55:41 GMT';
  const setting = await setUp(
    t,
    (request, response) => {
      response.writeHead(request.headers['if-modified-since'] === stamp ? 304 : 200, {
        'last-modified': stamp,
      });
      response.end(request.headers['if-modified-since'] === stamp ? undefined : 'index');
    },
    0,
  );
  t.is((await setting.get('/dists/sid/InRelease')).body, 'index');
  t.is((await setting.get('/dists/sid/InRelease')).body, 'index');
  t.is(setting.asked.length, 2);
  t.like(await setting.statistics(), { misses: 1, revalidated: 1 });
});

test('within its time an index is not asked for again, and apt is told that it has not changed', async (t) => {
  const setting = await setUp(t, (_, response) => response.end('index'));
  const first = await setting.get('/dists/sid/InRelease');
  const stamp = first.headers['last-modified'];
  t.is(typeof stamp, 'string', 'also when the mirror gives no date');
  const second = await setting.get('/dists/sid/InRelease', { 'if-modified-since': stamp });
  t.is(second.status, 304);
  t.is(setting.asked.length, 1);
});

test('an old index is better than none when the mirror is away', async (t) => {
  const setting = await setUp(t, (_, response) => response.end('index'), 0);
  await setting.get('/dists/sid/InRelease');
  setting.mirror.close();
  setting.mirror.closeAllConnections();
  t.is((await setting.get('/dists/sid/InRelease')).body, 'index');
  t.is((await setting.get('/pool/c_1_all.deb')).status, 503);
});

test('a download that breaks off is not kept', async (t) => {
  let broken = true;
  const setting = await setUp(t, (_, response) => {
    response.writeHead(200, { 'content-length': 10 });
    if (broken) response.write('half', () => response.destroy());
    else response.end('wholewhole');
  });
  await t.throwsAsync(setting.get('/pool/d_1_all.deb'));
  broken = false;
  t.is((await setting.get('/pool/d_1_all.deb')).body, 'wholewhole');
});

test('what the mirror does not have is asked for each time', async (t) => {
  const setting = await setUp(t, (_, response) => {
    response.writeHead(404);
    response.end('no');
  });
  t.is((await setting.get('/pool/e_1_all.deb')).status, 404);
  t.is((await setting.get('/pool/e_1_all.deb')).status, 404);
  t.is(setting.asked.length, 2);
});

test("where apt has a proxy, the cache asks that one, by the source's whole address", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'understudy-'));
  const asked: http.IncomingMessage[] = [];
  const proxy = http.createServer((request, response) => {
    asked.push(request);
    response.end('from afar');
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const cache = packageCache({
    directory,
    proxyFor: (url) =>
      url.hostname === 'mirror.invalid' ? new URL(`http://me:s%20t@127.0.0.1:${portOf(proxy)}`) : undefined,
  });
  cache.listen(0, '127.0.0.1');
  await once(cache, 'listening');
  t.teardown(async () => {
    for (const server of [proxy, cache]) {
      server.close();
      server.closeAllConnections();
    }
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  });
  const url = 'http://mirror.invalid/debian/dists/trixie/InRelease';
  t.like(await ask(portOf(cache), url, 'GET', {}), { status: 200, body: 'from afar' });
  t.is(asked[0]?.url, url);
  t.is(asked[0]?.headers.host, 'mirror.invalid');
  t.is(asked[0]?.headers['proxy-authorization'], `Basic ${Buffer.from('me:s t').toString('base64')}`);
});

test('a request that is no package source is refused in words', async (t) => {
  const setting = await setUp(t, (_, response) => response.end());
  const answer = await setting.get('/pool/f_1_all.deb', {}, 'POST');
  t.is(answer.status, 501);
  t.regex(answer.body, /GET and HEAD/);
});

const firstByte = new Map<string, () => void>();

function ask(port: number, url: string, method: string, headers: http.OutgoingHttpHeaders): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port, path: url, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        if (url.startsWith('http')) firstByte.get(new URL(url).pathname)?.();
      });
      response.on('error', reject);
      response.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8');
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      });
    });
    request.on('error', reject);
    request.end();
  });
}

function portOf(server: http.Server): number {
  return (server.address() as AddressInfo).port;
}
