import { EXIT, UserError } from '../lib/errors.ts';

/** What is counted of the site's requests: in which row of HAProxy's `show stat`, in which column, and what it means. */
export const COUNTERS = {
  requests: { row: 'FRONTEND', column: 'req_tot', what: 'requests that clients sent' },
  '1xx': { row: 'FRONTEND', column: 'hrsp_1xx', what: 'answers of this class' },
  '2xx': { row: 'FRONTEND', column: 'hrsp_2xx', what: 'answers of this class' },
  '3xx': { row: 'FRONTEND', column: 'hrsp_3xx', what: 'answers of this class' },
  '4xx': { row: 'FRONTEND', column: 'hrsp_4xx', what: 'answers of this class' },
  '5xx': { row: 'FRONTEND', column: 'hrsp_5xx', what: 'answers of this class: failed requests' },
  denied: { row: 'FRONTEND', column: 'dreq', what: 'requests that a rule has denied' },
  invalid: {
    row: 'FRONTEND',
    column: 'ereq',
    what: 'requests that were none, or that a client did not finish',
  },
  clientAborts: { row: 'BACKEND', column: 'cli_abrt', what: 'clients that did not wait for the end' },
  connectionErrors: { row: 'BACKEND', column: 'econ', what: 'requests for which no server could be reached' },
  responseErrors: { row: 'BACKEND', column: 'eresp', what: 'answers that a server broke off' },
  retries: { row: 'BACKEND', column: 'wretr', what: 'times that a request was sent again' },
  redispatches: { row: 'BACKEND', column: 'wredis', what: 'requests that another server got' },
} as const;

export type CounterName = keyof typeof COUNTERS;
export type Counts = Readonly<Record<CounterName, number>>;

export const COUNTER_NAMES = Object.keys(COUNTERS) as readonly CounterName[];

/** What one process of HAProxy has counted since its start. */
export interface ProcessCounters {
  readonly pid: number;
  readonly counts: Counts;
  /** Of all its requests the one that took the longest, in milliseconds. */
  readonly slowestMs: number;
}

/** Every counter at its value by name. */
export function countsBy(value: (name: CounterName) => number): Counts {
  return Object.fromEntries(COUNTER_NAMES.map((name) => [name, value(name)])) as Record<CounterName, number>;
}

/** Reads what `haproxy-drain counters` prints; see playbooks/roles/haproxy/templates/haproxy-drain.j2. */
export function parseCounters(balancer: string, text: string): readonly ProcessCounters[] {
  const parts = text.split(/^Pid: /m).slice(1);
  const processes = parts.flatMap((part) => {
    const process = processOf(part);
    // One that ends while it is asked says only half of it.
    return process === undefined ? [] : [process];
  });
  if (processes.length > 0) return processes;
  throw new UserError(
    {
      message: `${balancer}: expected what HAProxy has counted; found '${text.slice(0, 200)}'`,
      hint: '`provision up` brings the balancers up to date',
    },
    { exitCode: EXIT.failed },
  );
}

function processOf(part: string): ProcessCounters | undefined {
  const lines = part.split('\n');
  const columns = lines
    .find((line) => line.startsWith('# pxname,'))
    ?.slice(2)
    .split(',');
  const cells = (row: string): readonly string[] | undefined =>
    lines.find((line) => line.split(',')[1] === row)?.split(',');
  const frontend = cells('FRONTEND');
  const backend = cells('BACKEND');
  if (columns === undefined || frontend === undefined || backend === undefined) return undefined;
  const value = (row: readonly string[], column: string): number => Number(row[columns.indexOf(column)] ?? 0);
  return {
    pid: Number(lines[0]),
    counts: countsBy((name) => {
      const { row, column } = COUNTERS[name];
      return value(row === 'FRONTEND' ? frontend : backend, column);
    }),
    slowestMs: value(backend, 'ttime_max'),
  };
}
