import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { httpRequest, type HttpWorld } from '../../../src/run/host/http-request.ts';
import { proxyFor } from '../../../src/run/host/proxy.ts';
import type { Step } from '../../../src/steps/step.ts';

type HttpStep = Extract<Step, { kind: 'http' }>;

const step = (url: string, more: Partial<HttpStep> = {}): HttpStep => ({
  kind: 'http',
  url,
  method: 'GET',
  headers: {},
  timeoutMs: 20_000,
  validateCerts: true,
  useProxy: true,
  redirects: 10,
  ...more,
});

async function dial(address: string, port: number) {
  const socket = connect(port, address);
  await once(socket, 'connect');
  return socket;
}

const world = (more: Partial<HttpWorld> = {}): HttpWorld => ({
  dial,
  environment: {},
  authorities: async () => await Promise.resolve(undefined),
  ...more,
});

async function listening(t: ExecutionContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const web = async (t: ExecutionContext, answer: RequestListener): Promise<string> =>
  `http://127.0.0.1:${await listening(t, createServer(answer))}`;

/** A server whose certificate is for 127.0.0.1 and `web.test`, by an authority of its own. */
async function secure(t: ExecutionContext, answer: RequestListener) {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-tls-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const inside = (name: string): string => join(directory, name);
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' });
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Own authority');
  const request = ['req', '-x509', ...key, '-keyout', 'web.key', '-out', 'web.pem', '-subj', '/CN=web.test'];
  const extensions = ['subjectAltName=DNS:web.test,IP:127.0.0.1', 'basicConstraints=critical,CA:false'];
  openssl(
    ...request,
    ...['-CA', 'ca.pem', '-CAkey', 'ca.key'].concat(extensions.flatMap((one) => ['-addext', one])),
  );
  const server = createSecureServer(
    { key: readFileSync(inside('web.key')), cert: readFileSync(inside('web.pem')) },
    answer,
  );
  return { port: await listening(t, server), authority: readFileSync(inside('ca.pem'), 'utf8') };
}

// Alone, so that nothing else in this process looks like silence.
test.serial('a download that takes longer than the limit goes on while something comes', async (t) => {
  const url = await web(t, (_request, response) => {
    let left = 20;
    const timer = setInterval(() => {
      response.write('part ');
      if (--left > 0) return;
      clearInterval(timer);
      response.end();
    }, 100);
  });
  const answer = await httpRequest(step(url, { timeoutMs: 1500 }), world());
  t.is(answer.content.toString(), 'part '.repeat(20));
});

test('a server that falls silent is given up, before and within its answer', async (t) => {
  for (const begins of [false, true]) {
    const url = await web(t, (_request, response) => {
      if (begins) response.write('begun');
    });
    await t.throwsAsync(httpRequest(step(url, { timeoutMs: 200 }), world()), {
      message: 'timed out: nothing came for 0.2 s',
    });
  }
});

test('a large body goes to a file of its own, with its digests, until it is discarded', async (t) => {
  const chunk = Buffer.alloc(1024 * 1024, 'understudy');
  const url = await web(t, (_request, response) => {
    for (let index = 0; index < 20; index++) response.write(chunk);
    response.end();
  });
  const checksum = { algorithm: 'sha256', digest: '' };
  const answer = await httpRequest(step(url, { save: { path: '/x', attributes: {}, checksum } }), world());
  const { content } = answer;
  if (Buffer.isBuffer(content)) return t.fail('it is in memory');
  t.is(statSync(content.localFile).size, 20 * chunk.length);
  t.is(content.sha1, execFileSync('sha1sum', [content.localFile]).toString().slice(0, 40));
  t.is(answer.digests['sha256'], execFileSync('sha256sum', [content.localFile]).toString().slice(0, 64));
  answer.discard();
  t.false(existsSync(content.localFile));
});

for (const host of ['127.0.0.1', 'web.test']) {
  test(`an own authority is trusted when the target trusts it, for ${host}`, async (t) => {
    const { port, authority } = await secure(t, (_request, response) => response.end('hello'));
    const warnings: string[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning.message);
    process.on('warning', onWarning);
    t.teardown(() => process.off('warning', onWarning));
    const toServer = async (_host: string, number: number) => await dial('127.0.0.1', number);
    const url = `https://${host}:${port}/`;
    const trusting = world({ dial: toServer, authorities: async () => await Promise.resolve(authority) });
    t.is((await httpRequest(step(url), trusting)).content.toString(), 'hello');
    await t.throwsAsync(httpRequest(step(url), world({ dial: toServer })), {
      message: /^the certificate of .* is from no authority that the target trusts; give .* ca_path/,
    });
    const careless = step(url, { validateCerts: false });
    t.is((await httpRequest(careless, world({ dial: toServer }))).content.toString(), 'hello');
    t.deepEqual(warnings, []);
  });
}

test('a certificate for another name is refused', async (t) => {
  const { port, authority } = await secure(t, (_request, response) => response.end('hello'));
  await t.throwsAsync(
    httpRequest(
      step(`https://other.test:${port}/`),
      world({
        dial: async () => await dial('127.0.0.1', port),
        authorities: async () => await Promise.resolve(authority),
      }),
    ),
    { message: /other\.test/ },
  );
});

/** A proxy that forwards plain requests and opens tunnels, and remembers both. */
async function proxy(t: ExecutionContext) {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers['proxy-authorization']}`);
    response.end('by proxy');
  });
  server.on('connect', (request, socket) => {
    seen.push(`${request.method} ${request.url} ${request.headers['proxy-authorization']}`);
    if (request.url?.startsWith('forbidden')) return void socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    const other = connect(Number(request.url?.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(other).pipe(socket);
    });
  });
  return { seen, port: await listening(t, server) };
}

test('plain requests go to the proxy, secure ones through it', async (t) => {
  const { seen, port } = await proxy(t);
  const tls = await secure(t, (_request, response) => response.end('hello'));
  const environment = {
    http_proxy: `http://joe:p%40ss@127.0.0.1:${port}`,
    HTTPS_PROXY: `127.0.0.1:${port}`,
  };
  const through = world({ environment, authorities: async () => await Promise.resolve(tls.authority) });
  t.is((await httpRequest(step('http://web.test/a?b'), through)).content.toString(), 'by proxy');
  t.is((await httpRequest(step(`https://web.test:${tls.port}/`), through)).content.toString(), 'hello');
  t.deepEqual(seen, [
    `GET http://web.test/a?b Basic ${Buffer.from('joe:p@ss').toString('base64')}`,
    `CONNECT web.test:${tls.port} undefined`,
  ]);
  await t.throwsAsync(httpRequest(step('https://forbidden.test/'), through), {
    message: /proxy .* answered 403/,
  });
});

test('without use_proxy, and for hosts of no_proxy, requests go straight', async (t) => {
  const url = await web(t, (_request, response) => response.end('straight'));
  const nobody = { http_proxy: 'http://127.0.0.1:1' };
  const straight = step(url, { useProxy: false });
  t.is((await httpRequest(straight, world({ environment: nobody }))).content.toString(), 'straight');
  const environment = { ...nobody, no_proxy: '127.0.0.1' };
  t.is((await httpRequest(step(url), world({ environment }))).content.toString(), 'straight');
});

for (const [url, noProxy, isExempt] of [
  ['http://a.example.org/', 'example.org', true],
  ['http://a.example.org/', '.example.org', true],
  ['http://a.example.org/', 'other, EXAMPLE.org', true],
  ['http://anexample.org/', 'example.org', false],
  ['http://example.org:8080/', 'example.org:8080', true],
  ['http://example.org/', 'example.org:8080', false],
  ['http://[::1]/', '::1', true],
  ['http://example.org/', '*', true],
  ['http://example.org/', '', false],
] as const) {
  test(`no_proxy "${noProxy}" ${isExempt ? 'exempts' : 'does not exempt'} ${url}`, (t) => {
    const found = proxyFor(new URL(url), { http_proxy: 'p:3128', no_proxy: noProxy });
    t.is(found === undefined, isExempt);
  });
}

test('a proxy that is not spoken is named, without its password', (t) => {
  t.throws(() => proxyFor(new URL('http://x/'), { http_proxy: 'socks5://me:secret@p:1080' }), {
    message: 'the environment names the proxy "socks5://…@p:1080"; expected http://HOST:PORT',
  });
});

test('a port on which nobody listens is told', async (t) => {
  const server = createTcpServer();
  const port = await listening(t, server);
  server.close();
  await t.throwsAsync(httpRequest(step(`http://127.0.0.1:${port}/`), world()), { message: /ECONNREFUSED/ });
});
