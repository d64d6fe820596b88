import test from 'ava';

import { watchLog, type WatchEvent } from '../../../src/failover/watch/log.ts';

const EVENT: WatchEvent = {
  event: 'refused',
  level: 'critical',
  code: 'DeadPrimary',
  instance: 'db1',
  message: 'first\n  second, hunter2secret',
  remedy: '`failover ack`',
  ms: 12.4,
};

function logged(json: boolean, withTime: boolean, event = EVENT, named = false): string {
  let written = '';
  watchLog({
    cluster: 'shop',
    named,
    json,
    withTime,
    write: (line) => (written += line),
    redact: (text) => text.replaceAll('hunter2secret', '***'),
    now: () => new Date(0),
  })(event);
  return written;
}

test('an event is one line for people, without secrets', (t) => {
  t.is(logged(false, false), 'CRITICAL refused: first · second, *** (12 ms) → `failover ack`\n');
  t.is(
    logged(false, true, { event: 'watching', level: 'info', message: 'all is well' }),
    '1970-01-01T00:00:00.000Z watching: all is well\n',
  );
});

test('where there are several clusters a line says whose it is', (t) => {
  t.is(
    logged(false, false, { event: 'watching', level: 'info', message: 'all is well' }, true),
    'shop: watching: all is well\n',
  );
});

test('an event is one JSON object for programs', (t) => {
  const line = logged(true, false);
  t.is(line.trimEnd().split('\n').length, 1);
  t.deepEqual(JSON.parse(line), {
    at: '1970-01-01T00:00:00.000Z',
    cluster: 'shop',
    ...EVENT,
    message: 'first\n  second, ***',
  });
});
