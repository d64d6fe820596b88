import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { get, type IncomingMessage, request } from 'node:http';
import { gunzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';

import { UserError } from '../../src/lib/errors.ts';
import { pageDocument } from '../../src/page/document.ts';
import { servePage } from '../../src/page/server.ts';
import { byHand, pageState } from './support.ts';

const ASSETS = { script: 'document.title = "<b>";', style: 'body{color:red}' };

async function served(t: ExecutionContext, options: { commentMs?: number } = {}) {
  const looking = byHand();
  const server = await servePage({ observation: looking, assets: ASSETS, port: 0, ...options });
  t.teardown(server.close);
  return { looking, port: server.port, at: `http://127.0.0.1:${server.port}` };
}

/** By Node's own client: fetch sets the host itself. */
async function answer(
  port: number,
  path: string,
  { headers = {}, method = 'GET' }: { headers?: Record<string, string>; method?: string } = {},
): Promise<{ status: number; headers: IncomingMessage['headers']; body: Buffer }> {
  const asked = request({ host: '127.0.0.1', port, path, method, headers }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) };
}

test('its policy lets run what it brought, and nothing else', async (t) => {
  const { port } = await served(t);
  const { status, headers, body } = await answer(port, '/');
  t.is(status, 200);
  t.is(headers['content-type'], 'text/html; charset=utf-8');
  const hash = (text: string): string => createHash('sha256').update(text).digest('base64');
  t.is(
    headers['content-security-policy'],
    `default-src 'none'; script-src 'sha256-${hash(ASSETS.script)}'; style-src 'sha256-${hash(ASSETS.style)}'; ` +
      "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
  t.true(body.toString().includes(`<script type="module">${ASSETS.script}</script>`));
  t.notRegex(body.toString(), /https?:|src=/);
  t.is((await answer(port, '/icon.svg')).headers['content-type'], 'image/svg+xml');
  t.like(headers, {
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
  });
});

test('a script that would end too early is not put into a document', (t) => {
  t.throws(() => pageDocument({ script: 'x = "</script>"', style: '' }));
});

test('it comes compressed to who takes that', async (t) => {
  const { port } = await served(t);
  const plain = await answer(port, '/');
  const compressed = await answer(port, '/', { headers: { 'accept-encoding': 'gzip, br' } });
  t.is(compressed.headers['content-encoding'], 'gzip');
  t.true(gunzipSync(compressed.body).equals(plain.body));
});

for (const [host, status] of [
  ['localhost:8000', 200],
  ['127.0.0.1', 200],
  ['[::1]:8000', 200],
  ['evil.example', 421],
  ['localhost.evil.example:8000', 421],
  ['10.0.0.1', 421],
] as const) {
  test(`who calls it ${host} gets ${status}`, async (t) => {
    const { port } = await served(t);
    for (const path of ['/', '/state', ...(status === 421 ? ['/events'] : [])])
      t.is((await answer(port, path, { headers: { host } })).status, status, path);
  });
}

test('it only reads', async (t) => {
  const { port } = await served(t);
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH'])
    for (const path of ['/', '/state', '/events']) t.is((await answer(port, path, { method })).status, 404);
  t.is((await answer(port, '/../etc/passwd')).status, 404);
});

/** Reads a stream of events until there is as much as wanted. */
async function events(
  t: ExecutionContext,
  port: number,
  isEnough: (text: string) => boolean,
  begun?: () => void,
) {
  const asked = get({ host: '127.0.0.1', port, path: '/events', agent: false });
  t.teardown(() => asked.destroy());
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) {
    if (text === '') begun?.();
    text += String(chunk);
    if (isEnough(text)) break;
  }
  return { text, headers: response.headers };
}

test('events are whole states, with a time to try again', async (t) => {
  const { port, looking } = await served(t);
  const later = pageState({ from: 'lb2' });
  let changed = false;
  const { text, headers } = await events(t, port, (all) => {
    if (all.includes('"from":"lb1"') && !changed) {
      changed = true;
      looking.change(later);
    }
    return all.includes('"from":"lb2"') && all.endsWith('\n\n');
  });
  t.regex(headers['content-type'] ?? '', /^text\/event-stream/);
  t.is(headers['x-accel-buffering'], 'no');
  const [retry, first, second] = text.split('\n\n');
  t.is(retry, 'retry: 1000');
  const [kind = '', data = ''] = (first ?? '').split('\n');
  t.is(kind, 'event: state');
  t.deepEqual(JSON.parse(data.replace(/^data: /, '')), JSON.parse(JSON.stringify(pageState())));
  t.true(second?.includes('"from":"lb2"'));
});

test('a silent stream is kept open by comments', async (t) => {
  const { port } = await served(t, { commentMs: 20 });
  const { text } = await events(t, port, (all) => all.split(': still here').length > 3);
  t.is(text.split('event: state').length, 2);
});

test('who goes away is not waited for', async (t) => {
  const { port, looking } = await served(t);
  const asked = get({ host: '127.0.0.1', port, path: '/events', agent: false });
  asked.on('error', () => {});
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  response.on('error', () => {});
  await once(response, 'data');
  t.is(looking.watchers, 1);
  asked.destroy();
  for (let turns = 0; looking.watchers > 0 && turns < 1000; turns++)
    await new Promise((resolve) => setTimeout(resolve, 5));
  t.is(looking.watchers, 0);
});

test('the present state is there as JSON, too', async (t) => {
  const { port } = await served(t);
  const { body, headers } = await answer(port, '/state');
  t.regex(headers['content-type'] ?? '', /^application\/json/);
  t.deepEqual(JSON.parse(body.toString()), JSON.parse(JSON.stringify(pageState())));
});

test('who asks for the state alone waits for the first look', async (t) => {
  const whole = pageState();
  const begun = pageState({
    databases: whole.databases.map((one) => ({ ...one, status: null })),
    balancers: whole.balancers.map((one) => ({ ...one, servers: [] })),
  });
  const { port, looking } = await served(t);
  looking.change(begun);
  const answered = answer(port, '/state');
  while (looking.watchers === 0) await new Promise((resolve) => setImmediate(resolve));
  looking.change({ ...begun, databases: whole.databases });
  looking.change(whole);
  t.deepEqual(JSON.parse((await answered).body.toString()), JSON.parse(JSON.stringify(whole)));
});

test('a port that is taken is said', async (t) => {
  const { port } = await served(t);
  const error = await t.throwsAsync(servePage({ observation: byHand(), assets: ASSETS, port }), {
    instanceOf: UserError,
  });
  t.is(
    error?.message,
    `cannot listen on 127.0.0.1:${port}: another program does\n  hint: name another one with --port`,
  );
});

test('it ends although somebody listens', async (t) => {
  const looking = byHand();
  const server = await servePage({ observation: looking, assets: ASSETS, port: 0 });
  const asked = get({ host: '127.0.0.1', port: server.port, path: '/events', agent: false });
  asked.on('error', () => {});
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  response.on('error', () => {});
  await once(response, 'data');
  const ended = new Promise((resolve) => response.once('close', resolve));
  await server.close();
  await ended;
  t.pass();
});
