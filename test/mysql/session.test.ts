import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Duplex } from 'node:stream';

import test from 'ava';

import { Secret } from '../../src/lib/secret.ts';
import { ServerFailure } from '../../src/mysql/failure.ts';
import { openSession } from '../../src/mysql/session.ts';

/** What a listener that is no healthy server may do to whoever connects. */
const LISTENERS: Readonly<Record<string, (socket: Socket) => void>> = {
  'says nothing': () => {},
  'hangs up': (socket) => socket.destroy(),
  'breaks off': (socket) => socket.resetAndDestroy(),
  'breaks off in the middle of its greeting': (socket) =>
    socket.write(Buffer.from([0x4a, 0, 0, 0, 10]), () => socket.resetAndDestroy()),
  'ends in the middle of its greeting': (socket) => socket.end(Buffer.from([0x4a, 0, 0, 0, 10])),
};

for (const [what, behave] of Object.entries(LISTENERS)) {
  test(`a server that ${what} is a failure within the limit, and ends nothing else`, async (t) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      behave(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const options = {
      name: 'db1',
      address: '127.0.0.1',
      port,
      dial: async () => {
        const socket = connect(port, '127.0.0.1');
        await once(socket, 'connect');
        return socket;
      },
      account: { user: 'x', password: new Secret('secret') },
      tls: { ca: undefined, serverName: undefined },
      connectTimeoutMs: 300,
    };
    const failures = await Promise.all(
      Array.from({ length: 5 }, () =>
        t.throwsAsync(
          openSession(options, { timeoutMs: 300 }, () => t.fail('nothing was open')),
          {
            instanceOf: ServerFailure,
          },
        ),
      ),
    );
    for (const failure of failures) t.false(failure?.silence.alive, failure?.message);
    server.close();
  });
}

test('a connection that breaks while it is being closed is one failure, and not the end of the program', async (t) => {
  // As a socket that is gone already: it cannot even be shut down.
  const broken = (): Duplex =>
    new Duplex({
      read() {
        setImmediate(() => this.emit('close'));
      },
      write: (_chunk, _encoding, done) => done(),
      final: (done) => done(Object.assign(new Error('shutdown EINVAL'), { code: 'EINVAL' })),
    });
  const failure = await t.throwsAsync(
    openSession(
      {
        name: 'db1',
        address: '127.0.0.1',
        port: 1,
        dial: async () => broken(),
        account: { user: 'x', password: new Secret('secret') },
        tls: { ca: undefined, serverName: undefined },
        connectTimeoutMs: 300,
      },
      { timeoutMs: 300 },
      () => t.fail('nothing was open'),
    ),
    { instanceOf: ServerFailure },
  );
  t.is(failure?.silence.kind, 'lost');
  // What came too late for anybody has come by now.
  await new Promise((resolve) => setTimeout(resolve, 50));
});
