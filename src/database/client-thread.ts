import { number, text } from './rows.ts';
import type { Row } from './session.ts';
import type { ClientThread } from './state.ts';

/** A row with the columns id, user, host, seconds and state, as one of the client's threads. */
export function threadOf(row: Row): ClientThread {
  return {
    id: number(row, 'id'),
    user: text(row, 'user'),
    host: text(row, 'host'),
    seconds: number(row, 'seconds'),
    state: text(row, 'state'),
    ...(row['statement'] ? { statement: text(row, 'statement') } : {}),
  };
}
