import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import type { AppConfig } from '../../../files/app/config.ts';
import { Unavailable } from '../../../files/app/failure.ts';
import type { Message, Messages, NewMessage } from '../../../files/app/messages.ts';
import type { Position } from '../../../files/app/position.ts';
import { type AppState, createApp } from '../../../files/app/server.ts';

const CONFIG: AppConfig = {
  host: '127.0.0.1',
  port: 0,
  server: 'web1',
  version: 'test',
  instances: new Map([['host1', 'db1']]),
  drainMs: 0,
  database: { writers: [], readers: [], database: '', user: '', password: 'key', patienceMs: 100 },
  login: undefined,
};

/** A board in memory that remembers from which positions it was read. */
class Board implements Messages {
  readonly stored: Message[] = [];
  readonly keys: string[] = [];
  readonly positions: (Position | undefined)[] = [];
  failure: Error | undefined;

  async list({ limit, before = Infinity, position }: Parameters<Messages['list']>[0]) {
    if (this.failure) throw this.failure;
    this.positions.push(position);
    const value = this.stored
      .filter(({ id }) => id < before)
      .reverse()
      .slice(0, limit);
    return { value, host: 'host1' };
  }
  async add({ author, body, requestId }: NewMessage) {
    if (this.failure) throw this.failure;
    if (!this.keys.includes(requestId)) {
      this.keys.push(requestId);
      const id = this.stored.length + 1;
      this.stored.push({ id, author, body, server: 'web1', acceptedBy: 'host1', createdAt: id });
    }
    const value = this.stored[this.keys.indexOf(requestId)]!;
    return { value, host: 'host1', position: { kind: 'gtid', gtid: `0-1-${value.id}` } as const };
  }
  async whoAnswers() {
    return { writer: 'host1', reader: 'host2' };
  }
  async prepare() {}
  async lacks() {
    return this.failure ? [this.failure.message] : [];
  }
  async close() {}
}

async function start(t: ExecutionContext) {
  const board = new Board();
  const state: AppState = { phase: 'running', watchedAt: 0 };
  const server = createApp(CONFIG, board, state, undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ask = (path: string, init: RequestInit = {}) => fetch(origin + path, { redirect: 'manual', ...init });
  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    ask(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  return { board, state, ask, post };
}

test('a message that is posted as JSON is listed, with the server and the instance that answered', async (t) => {
  const { ask, post } = await start(t);
  const created = await post('/api/messages', { author: ' Ada ', body: 'Hello\r\nworld' });
  t.is(created.status, 201);
  const listed = await ask('/api/messages');
  t.like(await listed.json(), {
    server: 'web1',
    instance: 'db1',
    messages: [{ id: 1, author: 'Ada', body: 'Hello\nworld', instance: 'db1' }],
  });
  t.is(listed.headers.get('x-served-by'), 'web1');
  t.is(listed.headers.get('x-database'), 'db1');
});

test('who wrote is read from the position of the write; who did not, from anywhere', async (t) => {
  const { board, ask, post } = await start(t);
  const created = await post('/api/messages', { author: 'Ada', body: 'x' });
  const cookie = created.headers.get('set-cookie')?.split(';')[0] ?? '';
  await ask('/api/messages', { headers: { cookie } });
  await ask('/api/messages');
  await ask('/api/messages', { headers: { cookie: cookie.replace('0-1-1', '0-1-999') } });
  t.deepEqual(board.positions, [{ kind: 'gtid', gtid: '0-1-1' }, undefined, undefined]);
});

test('a request that is sent again stores nothing again', async (t) => {
  const { board, post } = await start(t);
  const message = { author: 'Ada', body: 'once' };
  for (const headers of [{ 'x-request-id': 'request-1' }, { 'idempotency-key': 'my-own-key' }]) {
    const first = (await (await post('/api/messages', message, headers)).json()) as object;
    t.deepEqual((await (await post('/api/messages', message, headers)).json()) as object, first);
  }
  t.is(board.stored.length, 2);
});

test('a form leads back to the board, where text is text and never markup', async (t) => {
  const { ask } = await start(t);
  const body = new URLSearchParams({ author: '<i>Eve</i>', body: `<script>alert("x")</script>'` });
  const posted = await ask('/messages', { method: 'POST', body });
  t.is(posted.status, 303);
  t.is(posted.headers.get('location'), '/');
  const page = await (await ask('/')).text();
  t.false(/<script|<i>/.test(page));
  t.true(page.includes('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&#39;'));
});

test('a form of another site is refused', async (t) => {
  const { board, ask } = await start(t);
  const body = new URLSearchParams({ author: 'Eve', body: 'x' });
  const headers = { 'sec-fetch-site': 'cross-site' };
  // What a browser sets, fetch leaves to us.
  t.is((await ask('/messages', { method: 'POST', body, headers })).status, 403);
  t.is(board.stored.length, 0);
});

test('older messages are on the next page', async (t) => {
  const { ask, post } = await start(t);
  for (let number = 1; number <= 55; number++)
    await post('/api/messages', { author: 'Ada', body: `n${number}` });
  const page = await (await ask('/')).text();
  t.true(page.includes('>n55<') && page.includes('>n6<') && !page.includes('>n5<'));
  t.true(page.includes('href="/?before=6"'));
  t.true((await (await ask('/?before=6')).text()).includes('>n5<'));
});

const REFUSED: readonly {
  readonly title: string;
  readonly path?: string;
  readonly init: RequestInit;
  readonly status: number;
}[] = [
  { title: 'text that is not JSON', init: { body: '{' }, status: 400 },
  { title: 'a list', init: { body: '[]' }, status: 400 },
  { title: 'a message without author', init: { body: '{"body":"x"}' }, status: 400 },
  { title: 'an empty message', init: { body: '{"author":"a","body":" \\u0000 "}' }, status: 400 },
  {
    title: 'a message that is too long',
    init: { body: JSON.stringify({ author: 'a', body: 'x'.repeat(501) }) },
    status: 400,
  },
  {
    title: 'a body that is too long',
    init: { body: JSON.stringify({ author: 'a', body: 'x'.repeat(9000) }) },
    status: 413,
  },
  {
    title: 'another type of body',
    init: { body: '{}', headers: { 'content-type': 'text/plain' } },
    status: 415,
  },
  {
    title: 'a bad idempotency key',
    init: {
      body: '{"author":"a","body":"b"}',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'a b' },
    },
    status: 400,
  },
  { title: 'another method', init: { method: 'DELETE' }, status: 405 },
  { title: 'an unknown path', path: '/__proto__', init: { method: 'GET' }, status: 404 },
  { title: 'a bad limit', path: '/api/messages?limit=1e9', init: { method: 'GET' }, status: 400 },
];

for (const { title, path = '/api/messages', init, status } of REFUSED) {
  test(`${title} is refused with ${status}`, async (t) => {
    const { board, ask } = await start(t);
    const answer = await ask(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      ...init,
    });
    t.is(answer.status, status);
    t.is(board.stored.length, 0);
    await answer.text();
  });
}

test('every answer forbids what the app does not need', async (t) => {
  const { ask } = await start(t);
  for (const path of ['/', '/api/messages', '/nothing']) {
    const { headers } = await ask(path);
    t.regex(headers.get('content-security-policy') ?? '', /default-src 'none'/);
    t.is(headers.get('x-content-type-options'), 'nosniff');
  }
});

test('an app that can do its work is ready, and says which release it is', async (t) => {
  const { ask } = await start(t);
  const ready = await ask('/ready');
  t.is(ready.status, 200);
  t.deepEqual(await ready.json(), { status: 'ready', version: 'test' });
});

test('without a database the app is healthy and not ready, and says when to come back', async (t) => {
  const { board, ask } = await start(t);
  board.failure = new Unavailable(new Error('down'));
  t.is((await ask('/health')).status, 200);
  const ready = await ask('/ready');
  t.is(ready.status, 503);
  t.like(await ready.json(), { status: 'not ready', reason: 'the database is not available' });
  const answer = await ask('/api/messages');
  t.is(answer.status, 503);
  t.is(answer.headers.get('retry-after'), '1');
});

test('an app that was told to stop still answers, but tells the balancers, and ends connections', async (t) => {
  const { state, ask } = await start(t);
  state.phase = 'stopping';
  t.is((await ask('/health')).status, 503);
  t.is((await ask('/ready')).status, 503);
  const answer = await ask('/');
  t.is(answer.status, 200);
  t.is(answer.headers.get('connection'), 'close');
});
