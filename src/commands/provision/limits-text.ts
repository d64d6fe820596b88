import { listed } from '../../lib/listed.ts';
import type { LimitedClient, Rate } from '../../site/limits.ts';

const RATE_TEXT: Readonly<Record<Rate, (value: number) => string>> = {
  connections: (value) => `${value} connections`,
  newConnections: (value) => `${value} new ones in 10 s`,
  requests: (value) => `${value} requests`,
  errors: (value) => `${value} errors a minute`,
  uploadedBytes: (value) => `${Math.round(value / 1_048_576)} MiB sent in 10 s`,
};

/** A line for each client and limit; those that nothing was refused in the last minute only when all are wanted. */
export function limitsText(clients: readonly LimitedClient[], all: boolean): string {
  const shown = all ? clients : clients.filter(({ refusedInMinute }) => refusedInMinute > 0);
  if (shown.length === 0) {
    const before = clients.length === 0 ? '' : `, and ${clients.length} before (--all)`;
    return `nobody was refused anything in the last minute${before}\n`;
  }
  return shown
    .map(({ client, table, refused, refusedInMinute, rates }) => {
      const now = (Object.entries(rates) as readonly (readonly [Rate, number])[])
        .filter(([, value]) => value > 0)
        .map(([rate, value]) => RATE_TEXT[rate](value));
      const doing = now.length === 0 ? 'nothing now' : `now ${listed(now)}`;
      return `${client}: refused ${refusedInMinute} times in the last minute, ${refused} in all (${limitName(table)}); ${doing}\n`;
    })
    .join('');
}

function limitName(table: string): string {
  return table.startsWith('path_') ? `the paths of "${table.slice('path_'.length)}"` : table;
}
