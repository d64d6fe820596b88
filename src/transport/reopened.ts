import type { Become, Connection } from './transport.ts';

/** A connection, and as whom to work on it. */
export interface Opened {
  readonly connection: Connection;
  readonly become: Become;
}

/** Opens a connection when it is needed first, and anew when it has ended, as after a reboot of its host. */
export function reopened(open: () => Promise<Opened>): () => Promise<Opened> {
  let last: Promise<Opened> | undefined;
  return async () => {
    const known = await last?.catch(() => undefined);
    if (known !== undefined && !known.connection.closed) return known;
    last = open();
    return await last;
  };
}
