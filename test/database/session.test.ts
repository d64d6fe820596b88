import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import test from 'ava';

import { dialTcp } from '../../src/failover/reach/open-cluster.ts';
import { Secret } from '../../src/lib/secret.ts';
import { ServerFailure } from '../../src/database/failure.ts';
import { openSession, type SessionOptions } from '../../src/database/session.ts';

/** Something that listens, and does with whoever comes what the test wants. */
async function listen(onSocket: (socket: Socket) => void): Promise<{ server: Server; port: number }> {
  const server = createServer(onSocket);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return { server, port: address.port };
}

const optionsOf = (port: number): SessionOptions => ({
  name: 'db1',
  address: '127.0.0.1',
  port,
  dial: dialTcp(2000),
  account: { user: 'somebody', password: new Secret('a password nobody sees') },
  tls: { ca: undefined, serverName: undefined },
  connectTimeoutMs: 2000,
});

const attempt = async (port: number, timeoutMs: number): Promise<ServerFailure> => {
  try {
    await openSession(optionsOf(port), { timeoutMs }, () => {});
  } catch (error) {
    if (error instanceof ServerFailure) return error;
    throw error;
  }
  throw new Error('nothing there is a server');
};

test('a port on which nothing listens is refused', async (t) => {
  const { server, port } = await listen(() => {});
  server.close();
  await once(server, 'close');
  const { silence } = await attempt(port, 2000);
  t.deepEqual([silence.kind, silence.alive], ['refused', false]);
});

test('a host that accepts and says nothing costs no more than the limit', async (t) => {
  const sockets: Socket[] = [];
  const { server, port } = await listen((socket) => sockets.push(socket));
  const startedAt = performance.now();
  const { silence } = await attempt(port, 200);
  t.deepEqual([silence.kind, silence.alive], ['timeout', false]);
  t.true(performance.now() - startedAt < 1900);
  for (const socket of sockets) socket.destroy();
  server.close();
});

test('a server that hangs up during the greeting is lost, not alive', async (t) => {
  const { server, port } = await listen((socket) => socket.end());
  const { silence } = await attempt(port, 2000);
  t.deepEqual([silence.kind, silence.alive], ['lost', false]);
  server.close();
});

test('no message of a failure holds the password', async (t) => {
  const { server, port } = await listen((socket) => socket.end('this is no greeting of a database'));
  const failure = await attempt(port, 1000);
  t.false(JSON.stringify([failure.message, failure.silence, failure.stack]).includes('nobody sees'));
  server.close();
});
