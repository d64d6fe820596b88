import test from 'ava';

import { DISABLED_EVENTS, enableEvents } from '../../src/database/enable-events.ts';
import type { Row, Session } from '../../src/database/session.ts';

const EVENT = {
  schema: 'app',
  definer: 'root@localhost',
  sql_mode: '',
  time_zone: 'SYSTEM',
  charset: 'utf8mb4',
  collation: 'utf8mb4_general_ci',
};

test('an event gets the status of the old primary, with its definer', async (t) => {
  const said: string[] = [];
  const session = {
    rows: (doing: string, sql: string, values: readonly unknown[]): Promise<readonly Row[]> => {
      if (doing !== 'listing the events')
        said.push(`${sql.split('\n').at(-1)?.trim()} ${values.slice(-2).join(' ')}`);
      return Promise.resolve([
        { ...EVENT, name: 'hourly' },
        { ...EVENT, name: 'never`s', definer: 'a@b@nowhere' },
      ]);
    },
    destroy: () => {},
  } as unknown as Session;
  t.is(await enableEvents(session, new Set(['app.never`s']), { timeoutMs: 1000 }), 1);
  t.deepEqual(said, [
    'ALTER DEFINER = ?@? EVENT `app`.`hourly` ENABLE root localhost',
    'ALTER DEFINER = ?@? EVENT `app`.`never``s` DISABLE a@b nowhere',
  ]);
});

test('an event of this server that is disabled on replicas is disabled by its owner, and never enabled here', async (t) => {
  // Seen on MySQL 9.7 and MariaDB 11.8: the status is that of a replicated event, the originator tells them apart.
  t.regex(
    DISABLED_EVENTS,
    /OR \(status IN \('SLAVESIDE_DISABLED', 'REPLICA_SIDE_DISABLED'\) AND originator = @@server_id\)/,
  );
  const asked: string[] = [];
  const session = {
    rows: (_doing: string, sql: string): Promise<readonly Row[]> => {
      asked.push(sql);
      return Promise.resolve([]);
    },
  } as unknown as Session;
  await enableEvents(session, new Set(), { timeoutMs: 1000 });
  t.regex(asked.join(), /AND originator <> @@server_id/);
});
