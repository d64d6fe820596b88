import { quoteName } from './quote.ts';
import { text } from './rows.ts';
import type { Limits } from './server.ts';
import type { Session } from './session.ts';

/**
 * The events that their owner has disabled, as `schema.name`. One that was created with DISABLE ON REPLICA does not run
 * where it was created either: there it has the status of an event that came by replication, and this server's own id.
 */
export const DISABLED_EVENTS = `SELECT CONCAT(event_schema, '.', event_name) AS name
  FROM information_schema.events WHERE status = 'DISABLED'
  OR (status IN ('SLAVESIDE_DISABLED', 'REPLICA_SIDE_DISABLED') AND originator = @@server_id)`;

/**
 * Gives the events that came by replication, and so do not run here, the status that they had on the old primary:
 * disabled (in whichever of the two ways), or enabled. An event keeps its definer and the settings of the session that
 * altered it last, so those are stated again. Gives how many were enabled.
 */
export async function enableEvents(
  session: Session,
  disabled: ReadonlySet<string>,
  limits: Limits,
): Promise<number> {
  const events = await session.rows(
    'listing the events',
    `SELECT event_schema AS \`schema\`, event_name AS name, definer AS definer, sql_mode AS sql_mode, time_zone AS time_zone,
       character_set_client AS charset, collation_connection AS collation
     FROM information_schema.events WHERE status IN ('SLAVESIDE_DISABLED', 'REPLICA_SIDE_DISABLED')
       AND originator <> @@server_id`,
    [],
    limits,
  );
  let enabled = 0;
  for (const event of events) {
    const [schema, name] = [text(event, 'schema'), text(event, 'name')];
    const status = disabled.has(`${schema}.${name}`) ? 'DISABLE' : 'ENABLE';
    const [user, host] = splitAccount(text(event, 'definer'));
    const sql = `SET SESSION sql_mode = ?, time_zone = ?, character_set_client = ?, collation_connection = ?;
      ALTER DEFINER = ?@? EVENT ${quoteName(schema)}.${quoteName(name)} ${status}`;
    const settings = ['sql_mode', 'time_zone', 'charset', 'collation'].map((column) => text(event, column));
    await session.rows(`giving the event ${name} its status`, sql, [...settings, user, host], limits);
    if (status === 'ENABLE') enabled++;
  }
  // The connection has somebody else's settings now.
  if (events.length > 0) session.destroy();
  return enabled;
}

/** `name@host`, where a name may hold @ itself. */
function splitAccount(account: string): readonly [string, string] {
  const at = account.lastIndexOf('@');
  return [account.slice(0, at), account.slice(at + 1)];
}
