import test from 'ava';
import { PassThrough, type Duplex } from 'node:stream';

import { DialError, dialThroughAny, type Way } from '../../../src/failover/reach/dialler.ts';
import type { Connection } from '../../../src/transport/transport.ts';

/** A connection of which only the forwarding is asked. */
function connection(
  forward: () => Promise<Duplex>,
  state: { closed: boolean } = { closed: false },
): Connection {
  return {
    host: 'lb',
    run: () => Promise.reject(new Error('not asked')),
    upload: () => Promise.reject(new Error('not asked')),
    download: () => Promise.reject(new Error('not asked')),
    close: () => Promise.resolve(),
    forward,
    get closed() {
      return state.closed;
    },
  };
}

const never = <T>(): Promise<T> => new Promise<T>(() => {});
const way = (name: string, connect: () => Promise<Connection>): Way => ({ name, connect });
const stream = (): Promise<Duplex> => Promise.resolve(new PassThrough());
const refused = (): Promise<Duplex> =>
  Promise.reject(Object.assign(new Error('(SSH) Channel open failure: Connection refused'), { reason: 2 }));
const unroutable = (): Promise<Duplex> =>
  Promise.reject(Object.assign(new Error('(SSH) Channel open failure: No route to host'), { reason: 2 }));

const OPTIONS = { connectTimeoutMs: 2000, patienceMs: 20 };

test('a balancer that never answers costs nothing', async (t) => {
  const { dial } = dialThroughAny(
    [way('lb1', never), way('lb2', () => Promise.resolve(connection(stream)))],
    OPTIONS,
  );
  t.truthy(await dial('10.0.0.1', 3306));
});

test('a balancer that cannot be reached costs nothing', async (t) => {
  const { dial } = dialThroughAny(
    [
      way('lb1', () => Promise.reject(new Error('down'))),
      way('lb2', () => Promise.resolve(connection(stream))),
    ],
    OPTIONS,
  );
  t.truthy(await dial('10.0.0.1', 3306));
});

test('a balancer whose forwarding hangs gets company', async (t) => {
  const { dial } = dialThroughAny(
    [
      way('lb1', () => Promise.resolve(connection(never))),
      way('lb2', () => Promise.resolve(connection(stream))),
    ],
    OPTIONS,
  );
  t.truthy(await dial('10.0.0.1', 3306));
});

test('what one balancer cannot route to, the other one may', async (t) => {
  const { dial } = dialThroughAny(
    [
      way('lb1', () => Promise.resolve(connection(unroutable))),
      way('lb2', () => Promise.resolve(connection(stream))),
    ],
    OPTIONS,
  );
  t.truthy(await dial('10.0.0.1', 3306));
});

test('a refusal is the answer of the target, and is believed at once', async (t) => {
  let asked = 0;
  const { dial } = dialThroughAny(
    [
      way('lb1', () => Promise.resolve(connection(refused))),
      way('lb2', () =>
        Promise.resolve(
          connection(() => {
            asked++;
            return stream();
          }),
        ),
      ),
    ],
    OPTIONS,
  );
  const error = await t.throwsAsync(dial('10.0.0.1', 3306), { instanceOf: DialError });
  t.is(error?.code, 'ECONNREFUSED');
  t.is(asked, 0);
});

test('a target that never answers is given up at the limit', async (t) => {
  const { dial } = dialThroughAny([way('lb1', () => Promise.resolve(connection(never)))], {
    connectTimeoutMs: 50,
  });
  const error = await t.throwsAsync(dial('10.0.0.1', 3306), { instanceOf: DialError });
  t.is(error?.code, 'ETIMEDOUT');
});

test('without any balancer the reasons of all are told', async (t) => {
  const { dial } = dialThroughAny(
    [
      way('lb1', () => Promise.reject(new Error('lb1 is down'))),
      way('lb2', () => Promise.reject(new Error('lb2 is down'))),
    ],
    OPTIONS,
  );
  const error = await t.throwsAsync(dial('10.0.0.1', 3306), { message: /lb1 is down; lb2 is down/ });
  t.is((error as DialError).code, 'ENOWAY');
});

test('it is ready as soon as one way is up, and never when none is', async (t) => {
  const one = dialThroughAny(
    [way('lb1', never), way('lb2', () => Promise.resolve(connection(stream)))],
    OPTIONS,
  );
  await t.notThrowsAsync(one.ready());
  const none = dialThroughAny([way('lb1', () => Promise.reject(new Error('down')))], OPTIONS);
  await t.throwsAsync(none.ready(), { instanceOf: AggregateError });
});

test('a connection that was lost is opened again', async (t) => {
  const state = { closed: false };
  let connects = 0;
  const { dial } = dialThroughAny(
    [
      way('lb1', () => {
        connects++;
        state.closed = false;
        return Promise.resolve(connection(stream, state));
      }),
    ],
    OPTIONS,
  );
  await dial('10.0.0.1', 3306);
  state.closed = true;
  await dial('10.0.0.1', 3306);
  t.is(connects, 2);
});
