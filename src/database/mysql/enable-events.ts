import { quoteName } from '../base-server.ts';
import { text } from '../rows.ts';
import type { Limits } from '../server.ts';
import type { Session } from '../session.ts';

/** Enables the events that came by replication, and so are off; gives their number. */
export async function enableEvents(session: Session, limits: Limits): Promise<number> {
  const events = await session.rows(
    'listing the events',
    `SELECT event_schema AS \`schema\`, event_name AS name, definer AS definer, sql_mode AS sql_mode, time_zone AS time_zone,
       character_set_client AS charset, collation_connection AS collation
     FROM information_schema.events WHERE status IN ('SLAVESIDE_DISABLED', 'REPLICA_SIDE_DISABLED')`,
    [],
    limits,
  );
  for (const event of events) {
    const [user, host] = splitAccount(text(event, 'definer'));
    // An event keeps the session's settings of who altered it last, and the definer if it is named.
    const sql = `SET SESSION sql_mode = ?, time_zone = ?, character_set_client = ?, collation_connection = ?;
      ALTER DEFINER = ?@? EVENT ${quoteName(text(event, 'schema'))}.${quoteName(text(event, 'name'))} ENABLE`;
    const settings = ['sql_mode', 'time_zone', 'charset', 'collation'].map((column) => text(event, column));
    await session.rows(`enabling the event ${text(event, 'name')}`, sql, [...settings, user, host], limits);
  }
  // The connection has somebody else's settings now.
  if (events.length > 0) session.destroy();
  return events.length;
}

/** `name@host`, where a name may hold @ itself. */
function splitAccount(account: string): readonly [string, string] {
  const at = account.lastIndexOf('@');
  return [account.slice(0, at), account.slice(at + 1)];
}
