import { EXIT, UserError } from '../lib/errors.ts';
import { ipv6Text, parseIpNetwork } from '../lib/ip-network.ts';
import type { Opened } from '../transport/reopened.ts';
import { type BalancerProgram, callProgram } from './balancer-program.ts';

// Clients that the balancers have refused something; see the tables in playbooks/roles/haproxy/templates/haproxy.cfg.j2.

/** What is counted of a client, by the name of HAProxy's counter. Rates are over the time that the table has for them. */
export const RATES = {
  conn_cur: 'connections',
  conn_rate: 'newConnections',
  http_req_rate: 'requests',
  http_err_rate: 'errors',
  bytes_in_rate: 'uploadedBytes',
} as const;

export type Rate = (typeof RATES)[keyof typeof RATES];

/** One client in one table: all requests are in `clients`, connections in `connections`, paths in `path_NAME`. */
export interface LimitedClient {
  /** An IPv4 address, or an IPv6 network of 64 bits. */
  readonly client: string;
  readonly table: string;
  /** How often it was refused since it was seen first; and in the last minute. */
  readonly refused: number;
  readonly refusedInMinute: number;
  readonly rates: Readonly<Partial<Record<Rate, number>>>;
}

/** One balancer, as far as it limits clients. */
export interface LimitsBalancer {
  readonly name: string;
  limited(): Promise<readonly LimitedClient[]>;
  /** Counts anew from zero for that client; false when it is not counted there. */
  clear(key: string): Promise<boolean>;
}

const PROGRAM: BalancerProgram = {
  path: '/usr/local/sbin/haproxy-limits',
  name: 'haproxy-limits',
  role: 'haproxy',
  units: ['haproxy'],
};
const TIMEOUT_MS = 10_000;

/** A balancer, reached as root: its role has put a program there that does the work. */
export function limitsBalancer(name: string, open: () => Promise<Opened>): LimitsBalancer {
  const run = async (argv: readonly string[]): Promise<string> =>
    await callProgram(name, open, PROGRAM, argv, { timeoutMs: TIMEOUT_MS });
  return {
    name,
    limited: async () => parseLimited(name, await run(['list'])),
    clear: async (key) => (await run(['clear', key])) !== '',
  };
}

/** Reads what `haproxy-limits list` prints. */
export function parseLimited(balancer: string, text: string): readonly LimitedClient[] {
  let table: string | undefined;
  const found: LimitedClient[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const head = /^# table: balancers\/([^,]+),/.exec(line)?.[1];
    if (head !== undefined) {
      table = head;
      continue;
    }
    const counted = table === undefined ? undefined : entryOf(line);
    if (counted === undefined || table === undefined) throw unreadable(balancer, line);
    found.push({ ...counted, table });
  }
  return found;
}

function entryOf(line: string): Omit<LimitedClient, 'table'> | undefined {
  const words = line.split(' ').map((word) => /^([a-z_0-9]+)(?:\(\d+\))?=(.*)$/.exec(word));
  const values = new Map(words.flatMap((match) => (match === null ? [] : [[match[1], match[2]] as const])));
  // Both counters of what was refused are written alike but for the period.
  const refusedInMinute = /\bgpc0_rate\(\d+\)=(\d+)/.exec(line)?.[1];
  const client = clientOf(values.get('key') ?? '');
  const refused = values.get('gpc0');
  if (client === undefined || refused === undefined || refusedInMinute === undefined) return undefined;
  const rates: Partial<Record<Rate, number>> = {};
  for (const [counter, rate] of Object.entries(RATES)) {
    const value = values.get(counter);
    if (value !== undefined) rates[rate] = Number(value);
  }
  return { client, refused: Number(refused), refusedInMinute: Number(refusedInMinute), rates };
}

/** How a client is named to people: HAProxy keeps IPv4 addresses in IPv6's form. */
function clientOf(key: string): string | undefined {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(key)?.[1];
  const network = parseIpNetwork(mapped ?? key);
  if (network === undefined) return undefined;
  return mapped ?? `${key}/64`;
}

/** The key of a client in HAProxy's tables; undefined when the text names none. */
export function clientKey(text: string): string | undefined {
  const network = parseIpNetwork(text);
  if (network === undefined) return undefined;
  if (network.family === 4) return network.prefix === 32 ? `::ffff:${text.split('/')[0] ?? ''}` : undefined;
  const whole = parseIpNetwork(`${text.split('/')[0] ?? ''}/64`);
  return whole === undefined || network.prefix < 64 ? undefined : ipv6Text(whole.address);
}

/**
 * The same client and table once for all balancers: they tell each other what they count, but for connections at once,
 * which are added up.
 */
export function mergeLimited(balancers: readonly (readonly LimitedClient[])[]): readonly LimitedClient[] {
  const merged = new Map<string, LimitedClient>();
  for (const one of balancers.flat()) {
    const key = `${one.table} ${one.client}`;
    const before = merged.get(key);
    merged.set(key, before === undefined ? one : both(before, one));
  }
  return [...merged.values()].toSorted(
    (a, b) => b.refusedInMinute - a.refusedInMinute || b.refused - a.refused,
  );
}

function both(a: LimitedClient, b: LimitedClient): LimitedClient {
  const rates = { ...a.rates };
  for (const [rate, value] of Object.entries(b.rates) as readonly (readonly [Rate, number])[])
    rates[rate] = rate === 'connections' ? (rates[rate] ?? 0) + value : Math.max(rates[rate] ?? 0, value);
  return {
    ...a,
    refused: Math.max(a.refused, b.refused),
    refusedInMinute: Math.max(a.refusedInMinute, b.refusedInMinute),
    rates,
  };
}

function unreadable(balancer: string, found: string): UserError {
  return new UserError(
    {
      message: `${balancer}: expected what HAProxy has counted of its clients; found '${found.slice(0, 200)}'`,
      hint: '`provision up` brings the balancers up to date',
    },
    { exitCode: EXIT.failed },
  );
}
