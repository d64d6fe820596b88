import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';

import { poll } from '../../src/lib/async.ts';
import { UserError } from '../../src/lib/errors.ts';
import { sshTransport } from '../../src/transport/ssh.ts';
import { openTunnel, type TunnelEnd, type TunnelOptions } from '../../src/transport/tunnel.ts';
import { cut, freePort, startSshd, type TestSshd } from './sshd.ts';

/** A service that says its name to whoever connects, and then what it hears. */
async function service(t: ExecutionContext, name: string) {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.write(`${name}\n`);
    socket.pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = (): void => {
    server.close();
    for (const socket of open) socket.destroy();
  };
  t.teardown(stop);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { port: address.port, stop };
}

async function host(t: ExecutionContext): Promise<TestSshd> {
  const sshd = await startSshd();
  t.teardown(sshd.stop);
  return sshd;
}

function end(sshd: TestSshd, name: string, port: number): TunnelEnd {
  return { host: sshd.address({ name, connectTimeoutMs: 5000 }), port };
}

async function tunnel(t: ExecutionContext, ends: readonly TunnelEnd[], options: Partial<TunnelOptions> = {}) {
  const transport = sshTransport({ keepaliveIntervalMs: 200 });
  t.teardown(transport.close);
  const told: string[] = [];
  const opened = await openTunnel({
    transport,
    ends,
    onMoved: (to, reason) => told.push(`${to}: ${reason === undefined ? 'again' : 'moved'}`),
    onLost: () => told.push('lost'),
    ...options,
  });
  t.teardown(opened.close);
  return { opened, told };
}

/** What the service says to a new connection; undefined when the connection breaks. */
async function greeting(port: number): Promise<string | undefined> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  return await new Promise((resolve) => {
    socket.once('data', (chunk) => {
      resolve(chunk.toString().trim());
      socket.destroy();
    });
    socket.once('close', () => resolve(undefined));
  });
}

test('bytes pass both ways, by many connections at once', async (t) => {
  const real = await service(t, 'one');
  const { opened } = await tunnel(t, [end(await host(t), 'lb1', real.port)]);
  t.is(opened.host, 'lb1');
  const answers = await Promise.all(
    Array.from({ length: 20 }, async (_, number) => {
      const socket = connect(opened.port, '127.0.0.1');
      socket.end(`${number}`.repeat(1000));
      let said = '';
      for await (const chunk of socket) said += String(chunk);
      return said;
    }),
  );
  for (const [number, said] of answers.entries()) t.is(said, `one\n${`${number}`.repeat(1000)}`);
});

test('the first host that leads to the service is taken, one without it is passed over', async (t) => {
  const real = await service(t, 'two');
  const [lb1, lb2] = await Promise.all([host(t), host(t)]);
  const { opened, told } = await tunnel(t, [end(lb1, 'lb1', await freePort()), end(lb2, 'lb2', real.port)]);
  t.is(opened.host, 'lb2');
  t.is(await greeting(opened.port), 'two');
  t.deepEqual(told, []);
});

test('when its host dies, open connections end and the next one goes through the other', async (t) => {
  const [first, second] = await Promise.all([service(t, 'one'), service(t, 'two')]);
  const [lb1, lb2] = await Promise.all([host(t), host(t)]);
  const { opened, told } = await tunnel(t, [end(lb1, 'lb1', first.port), end(lb2, 'lb2', second.port)]);
  const open = connect(opened.port, '127.0.0.1');
  open.on('error', () => {});
  t.is(String((await once(open, 'data'))[0]), 'one\n');
  const ended = once(open, 'close');
  await cut(lb1);
  await ended;
  t.deepEqual(await Promise.all([greeting(opened.port), greeting(opened.port)]), ['two', 'two']);
  t.is(opened.host, 'lb2');
  t.deepEqual(told, ['lb2: moved']);
});

test('when only the service on its host dies, connections go through the other', async (t) => {
  const [first, second] = await Promise.all([service(t, 'one'), service(t, 'two')]);
  const [lb1, lb2] = await Promise.all([host(t), host(t)]);
  const { opened, told } = await tunnel(t, [end(lb1, 'lb1', first.port), end(lb2, 'lb2', second.port)]);
  first.stop();
  t.is(await greeting(opened.port), 'two');
  t.deepEqual(told, ['lb2: moved']);
});

test('while no host leads there connections break, which is told once; then it goes on', async (t) => {
  const lb1 = await host(t);
  const first = await service(t, 'one');
  const { opened, told } = await tunnel(t, [end(lb1, 'lb1', first.port)]);
  first.stop();
  t.is(await greeting(opened.port), undefined);
  t.is(await greeting(opened.port), undefined);
  t.deepEqual(told, ['lost']);
  const back = createServer((socket) => socket.end('back\n')).listen(first.port, '127.0.0.1');
  t.teardown(() => void back.close());
  await once(back, 'listening');
  t.is(await poll(async () => await greeting(opened.port), { everyMs: 50, withinMs: 5000 }), 'back');
  t.deepEqual(told, ['lost', 'lb1: again']);
});

test('each host is named when none leads there, with what to do', async (t) => {
  const [lb1, lb2] = await Promise.all([host(t), host(t)]);
  const closed = await freePort();
  await lb2.stop();
  const error = await t.throwsAsync(tunnel(t, [end(lb1, 'lb1', closed), end(lb2, 'lb2', closed)]), {
    instanceOf: UserError,
  });
  t.is(error?.exitCode, 4);
  t.regex(error?.message ?? '', new RegExp(`^lb1: nothing answers at 127\\.0\\.0\\.1:${closed} there`, 'm'));
  t.regex(error?.message ?? '', /hint: is the service installed/);
  t.regex(error?.message ?? '', /^lb2: /m);
});

test('a port that is taken is refused before anything is connected', async (t) => {
  const taken = await service(t, 'taken');
  const transport = { connect: async () => await Promise.reject(new Error('it was connected')) };
  const error = await t.throwsAsync(
    openTunnel({ transport, port: taken.port, ends: [{ host: { name: 'lb1', address: 'lb1' }, port: 1 }] }),
    { instanceOf: UserError },
  );
  t.is(
    error?.message,
    `port ${taken.port} of this machine: another program uses it\n  hint: name another one with --port`,
  );
});

test('it listens on this machine only, and closes every connection at its end', async (t) => {
  const real = await service(t, 'one');
  const { opened } = await tunnel(t, [end(await host(t), 'lb1', real.port)]);
  const open = connect(opened.port, '127.0.0.1');
  await once(open, 'data');
  const ended = once(open, 'close');
  await opened.close();
  await ended;
  t.is(await greeting(opened.port), undefined);
});
