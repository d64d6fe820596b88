import { createServer } from 'node:net';

import test from 'ava';

import { serveMetrics } from '../../../src/commands/failover/metrics-endpoint.ts';

test('GET /metrics is answered with the text of the moment, and nothing else is', async (t) => {
  const stop = new AbortController();
  let count = 0;
  const port = await new Promise<number>((resolve) => {
    void serveMetrics({
      host: '127.0.0.1',
      port: 0,
      text: () => `asked ${++count}\n`,
      signal: stop.signal,
      onFailure: (message) => t.fail(message),
      onListening: resolve,
    }).then(() => t.pass());
  });
  t.teardown(() => stop.abort());
  const ask = async (path: string, method = 'GET'): Promise<Response> =>
    await fetch(`http://127.0.0.1:${port}${path}`, { method });
  const first = await ask('/metrics');
  t.is(await first.text(), 'asked 1\n');
  t.is(first.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  t.is(await (await ask('/metrics?scope=all')).text(), 'asked 2\n');
  t.is((await ask('/')).status, 404);
  t.is((await ask('/metrics', 'POST')).status, 404);
});

test('it ends with its signal, also while somebody is connected', async (t) => {
  const stop = new AbortController();
  let listening: (port: number) => void = () => {};
  const port = new Promise<number>((resolve) => (listening = resolve));
  const ended = serveMetrics({
    host: '127.0.0.1',
    port: 0,
    text: () => '',
    signal: stop.signal,
    onFailure: (message) => t.fail(message),
    onListening: listening,
  });
  await fetch(`http://127.0.0.1:${await port}/metrics`);
  stop.abort();
  await t.notThrowsAsync(ended);
});

test('an address that is taken is told once, and had as soon as it is free', async (t) => {
  const taken = createServer();
  const port = await new Promise<number>((resolve) => {
    taken.listen(0, '127.0.0.1', () => {
      const address = taken.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  const stop = new AbortController();
  const failures: string[] = [];
  let listening: () => void = () => {};
  const isListening = new Promise<void>((resolve) => (listening = resolve));
  let isTold: () => void = () => {};
  const told = new Promise<void>((resolve) => (isTold = resolve));
  const ended = serveMetrics({
    host: '127.0.0.1',
    port,
    text: () => 'here\n',
    signal: stop.signal,
    pauseMs: 20,
    onFailure: (message) => {
      failures.push(message);
      isTold();
    },
    onListening: listening,
  });
  await told;
  taken.close();
  await isListening;
  t.is(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text(), 'here\n');
  t.is(failures.length, 1);
  t.regex(failures[0] ?? '', /EADDRINUSE/);
  stop.abort();
  await ended;
});
