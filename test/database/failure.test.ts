import test from 'ava';

import { EXIT } from '../../src/lib/errors.ts';
import { type DriverError, ServerFailure, silenceFrom } from '../../src/database/failure.ts';
import type { Silence } from '../../src/database/state.ts';

const network = (code: string): DriverError => Object.assign(new Error('words of any kind'), { code });
const fromServer = (errno: number): DriverError =>
  Object.assign(new Error('words of any kind'), { code: 'ER_X', errno, sqlMessage: 'words of any kind' });

test('what an error says about a life is read from its code', (t) => {
  const cases: readonly (readonly [DriverError, Silence['kind'], boolean])[] = [
    [network('ECONNREFUSED'), 'refused', false],
    [network('ETIMEDOUT'), 'timeout', false],
    [network('PROTOCOL_SEQUENCE_TIMEOUT'), 'timeout', false],
    [network('EHOSTUNREACH'), 'unreachable', false],
    [network('ENETUNREACH'), 'unreachable', false],
    [network('ENOTFOUND'), 'unreachable', false],
    // No balancer to dial through says nothing of the instance.
    [network('ENOWAY'), 'unreachable', false],
    [network('ECONNRESET'), 'lost', false],
    [network('EPIPE'), 'lost', false],
    [network('PROTOCOL_CONNECTION_LOST'), 'lost', false],
    // A server that is overloaded, or that does not want us, is not dead.
    [fromServer(1040), 'too-many-connections', true],
    [fromServer(1203), 'denied', true],
    [fromServer(1226), 'denied', true],
    [fromServer(1045), 'denied', true],
    [fromServer(1129), 'denied', true],
    [fromServer(1227), 'denied', true],
    [fromServer(3032), 'denied', true],
    [fromServer(1193), 'error', true],
    // A certificate of somebody else's: something answers there.
    [network('DEPTH_ZERO_SELF_SIGNED_CERT'), 'error', true],
  ];
  for (const [error, kind, alive] of cases) {
    const silence = silenceFrom(error);
    t.deepEqual([silence.kind, silence.alive], [kind, alive], `${error.code} ${error.errno}`);
  }
});

test('a failure names the instance, what was being done and the number of the error', (t) => {
  const failure = new ServerFailure('db2', 'becoming read-only', silenceFrom(fromServer(1227)), {
    errno: 1227,
  });
  t.is(failure.message, 'db2: becoming read-only: 1227 words of any kind');
  t.is(failure.exitCode, EXIT.failed);
  t.is(
    new ServerFailure('db2', 'connecting', silenceFrom(network('ECONNREFUSED'))).exitCode,
    EXIT.unreachable,
  );
});
