import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import type { AppConfig } from '../../../files/app/config.ts';
import { Unavailable } from '../../../files/app/failure.ts';
import type { Logins } from '../../../files/app/logins.ts';
import type { Messages } from '../../../files/app/messages.ts';
import { createApp } from '../../../files/app/server.ts';
import { signedLogins } from '../../../files/app/signed-logins.ts';

const LOGIN = { user: 'ada', password: 'right', key: 'key', seconds: 60, store: undefined };
const CONFIG: AppConfig = {
  host: '127.0.0.1',
  port: 0,
  server: 'web1',
  version: 'test',
  instances: new Map(),
  drainMs: 0,
  database: { writers: [], readers: [], database: '', user: '', password: 'key', patienceMs: 100 },
  login: LOGIN,
};

/** No login needs the board. */
const refuse = async (): Promise<never> => {
  throw new Error('this test has no board');
};
const NO_BOARD: Messages = {
  list: refuse,
  add: refuse,
  whoAnswers: refuse,
  prepare: refuse,
  lacks: async () => [],
  close: async () => {},
};

/** A browser, as far as cookies go. */
async function browser(t: ExecutionContext, logins: Logins | undefined = signedLogins(LOGIN)) {
  const server = createApp(CONFIG, NO_BOARD, { phase: 'running', watchedAt: 0 }, logins);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const cookies = new Map<string, string>();
  const ask = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = new Headers(init.headers);
    headers.set('cookie', [...cookies].map(([name, value]) => `${name}=${value}`).join('; '));
    const answer = await fetch(origin + path, { redirect: 'manual', ...init, headers });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') cookies.delete(name);
      else cookies.set(name, value);
    }
    return answer;
  };
  const form = (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
    ask(path, { method: 'POST', body: new URLSearchParams(fields), headers });
  const json = (method: string, body?: object, headers: Record<string, string> = {}) =>
    ask('/api/login', {
      method,
      headers: { ...(body && { 'content-type': 'application/json' }), ...headers },
      ...(body && { body: JSON.stringify(body) }),
    });
  const formToken = async (): Promise<string> =>
    /name="form" value="([^"]+)"/.exec(await (await ask('/login')).text())?.[1] ?? '';
  return { ask, form, json, formToken, cookies };
}

test('a user logs in by the form, is known, and logs out', async (t) => {
  const { ask, form, json, formToken } = await browser(t);
  t.is((await json('GET')).status, 401);
  const answer = await form('/login', { form: await formToken(), user: 'ada', password: 'right' });
  t.is(answer.status, 303);
  t.is(((await (await json('GET')).json()) as { user: string }).user, 'ada');
  t.true((await (await ask('/login')).text()).includes('You are <b>ada</b>'));
  t.is((await form('/logout', { form: await formToken() })).status, 303);
  t.is((await json('GET')).status, 401);
});

test('the same goes by JSON', async (t) => {
  const { json } = await browser(t);
  const answer = await json('POST', { user: 'ada', password: 'right' });
  t.is(answer.status, 201);
  t.is(((await answer.json()) as { user: string }).user, 'ada');
  t.is((await json('GET')).status, 200);
  t.is((await json('DELETE')).status, 200);
  t.is((await json('GET')).status, 401);
});

test('the cookie is for HTTP alone, not for other sites, and behind TLS for TLS alone', async (t) => {
  const { json } = await browser(t);
  const account = { user: 'ada', password: 'right' };
  const [plain = ''] = (await json('POST', account)).headers.getSetCookie();
  t.regex(plain, /^login=[^;]+; Path=\/; Max-Age=60; HttpOnly; SameSite=Lax$/);
  const [secure = ''] = (
    await json('POST', account, { 'x-forwarded-proto': 'https' })
  ).headers.getSetCookie();
  t.regex(secure, /; Secure$/);
});

for (const [user, password] of [
  ['ada', 'wrong'],
  ['ada', ''],
  ['eve', 'right'],
  ['', ''],
] as const) {
  test(`"${user}" with "${password}" is nobody`, async (t) => {
    const { form, json, formToken, cookies } = await browser(t);
    t.is((await json('POST', { user, password })).status, 401);
    const answer = await form('/login', { form: await formToken(), user, password });
    t.is(answer.status, 401);
    t.true((await answer.text()).includes('role="alert"'));
    t.false(cookies.has('login'));
  });
}

test('a form that is not ours logs nobody in or out', async (t) => {
  const { form, json, formToken, cookies } = await browser(t);
  const account = { user: 'ada', password: 'right' };
  const theirs = await (await browser(t)).formToken();
  const ours = await formToken();
  for (const fields of [account, { ...account, form: '' }, { ...account, form: theirs }]) {
    t.is((await form('/login', fields)).status, 403);
  }
  t.is((await form('/login', { ...account, form: ours }, { 'sec-fetch-site': 'cross-site' })).status, 403);
  t.is((await json('POST', account, { 'sec-fetch-site': 'cross-site' })).status, 403);
  t.false(cookies.has('login'));
  await json('POST', account);
  t.is((await form('/logout', { form: ours })).status, 403);
  t.is((await json('GET')).status, 200);
});

test('an account that is no text is nobody, and no mistake of ours', async (t) => {
  const { json } = await browser(t);
  for (const password of [null, 7, ['right'], { length: 5 }]) {
    t.is((await json('POST', { user: 'ada', password })).status, 401, JSON.stringify(password));
  }
});

test('while the store is away, a request that needs it is refused for now, and readiness says so', async (t) => {
  const away = async (): Promise<never> => {
    throw new Unavailable(new Error('no answer'), 'store of the logins');
  };
  const { ask, json } = await browser(t, {
    begin: away,
    find: away,
    end: away,
    lacks: async () => ['the store of the logins does not answer'],
    close: () => {},
  });
  const answer = await json('GET');
  t.is(answer.status, 503);
  t.is(answer.headers.get('retry-after'), '1');
  t.is(
    ((await answer.json()) as { error: string }).error,
    'The store of the logins is not available. Please try again in a moment.',
  );
  t.is((await ask('/ready')).status, 503);
});

test('without an account there is nothing to log in to', async (t) => {
  const server = createApp(
    { ...CONFIG, login: undefined },
    NO_BOARD,
    { phase: 'running', watchedAt: 0 },
    undefined,
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/login`);
  t.is(answer.status, 404);
  t.false((await answer.text()).includes('/login'));
});
