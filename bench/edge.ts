// What TLS, the limits and the filter cost a request, and what they and the store of sessions cost a run with nothing to change:
// node bench/edge.ts LAB, a lab with a site on it. The client, the balancers and the servers share this machine: only
// ratios count, and most of all those of the processor's time that HAProxy and Nginx took. It needs h2load (nghttp2-client).
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

import { run } from '../src/lib/process.ts';
import type { Seen } from './edge-client.ts';
import { measure, median } from './measure.ts';

const lab = process.argv[2] ?? 'bench';
const SECONDS = Number(process.argv[3] ?? 8);
const ROUNDS = Number(process.argv[4] ?? 3);
const LANES = '8';
const cwd = join(import.meta.dirname, '..');
const PROVISION = [process.execPath, join(cwd, 'src/bin/provision.ts')];
const directory = mkdtempSync(join(tmpdir(), 'understudy-edge-'));

/** No client here meets them: they count, and refuse nobody. */
const COUNTING = {
  haproxy_limit_requests: 1e6,
  haproxy_limit_errors: 1e6,
  haproxy_limit_connections: 1e6,
  haproxy_limit_new_connections: 1e6,
  haproxy_limit_upload_mb: 1e5,
  haproxy_limit_paths: [],
};
const PLAIN = { haproxy_limits: false };
const ALL = { waf: 'block', session_store: 'valkey' };

type Variables = Readonly<Record<string, unknown>>;
interface Figure {
  readonly perSecond: number;
  readonly p99: number;
  /** Milliseconds of a processor for each request. */
  readonly haproxy: number;
  readonly nginx: number;
}

async function ours(...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await run([...PROVISION, ...args], { cwd, timeoutMs: 600_000 });
  if (status !== 0) throw new Error(`provision ${args.join(' ')}: ${stdout.slice(-3000)}${stderr}`);
  return stdout;
}
const up = async (variables: Variables, ...more: readonly string[]): Promise<string> =>
  await ours('up', '-i', `inventory/${lab}`, '-e', JSON.stringify(variables), ...more);
const asClient = async (...command: readonly string[]): Promise<string> =>
  await ours('lab', 'exec', '--name', lab, 'client', '--', ...command);

const { hosts } = JSON.parse(await ours('inventory', '-i', `inventory/${lab}`, '--json')) as {
  hosts: Record<string, { vip: string }>;
};
const vip = hosts['lb1']?.vip ?? '';

/** Requests on connections that are kept. */
async function kept(scheme: 'http' | 'https'): Promise<Pick<Seen, 'perSecond' | 'p99'>> {
  const log = join(directory, 'log');
  rmSync(log, { force: true });
  const url = `${scheme}://${vip}/api/whoami`;
  await asClient('h2load', '--h1', '-c', LANES, '-D', String(SECONDS), `--log-file=${log}`, url);
  const rows = readFileSync(log, 'utf8')
    .split('\n')
    .map((line) => line.split('\t').map(Number))
    .filter((row) => row.length === 3);
  const bad = rows.filter(([, status]) => status !== 200).length;
  if (bad > 0) throw new Error(`${bad} of ${rows.length} requests were not answered with 200`);
  const times = rows.map(([, , microseconds = 0]) => microseconds / 1000).toSorted((a, b) => a - b);
  return { perSecond: rows.length / SECONDS, p99: times[Math.floor(times.length * 0.99)] ?? 0 };
}

/** Requests on a connection each. */
async function each(mode: 'plain' | 'new' | 'resumed'): Promise<Seen> {
  const program = join(import.meta.dirname, 'edge-client.ts');
  const seen = JSON.parse(
    await asClient(process.execPath, program, vip, mode, String(SECONDS), LANES),
  ) as Seen;
  if (seen.failed > 0) throw new Error(`${seen.failed} requests failed (${mode})`);
  return seen;
}

const CASES: readonly (readonly [
  Variables,
  readonly (readonly [string, () => Promise<Pick<Seen, 'perSecond' | 'p99'>>])[],
])[] = [
  [
    PLAIN,
    [
      ['http, kept', async () => await kept('http')],
      ['https, kept', async () => await kept('https')],
      ['http, a connection each', async () => await each('plain')],
      ['https, a new session each', async () => await each('new')],
      ['https, a resumed session each', async () => await each('resumed')],
    ],
  ],
  [COUNTING, [['http, kept, limits', async () => await kept('http')]]],
  [{ ...COUNTING, waf: 'detect' }, [['http, kept, limits, waf: detect', async () => await kept('http')]]],
  [{ ...COUNTING, waf: 'block' }, [['http, kept, limits, waf: block', async () => await kept('http')]]],
];

const SERVICES = { haproxy: ['lb1', 'lb2'], nginx: ['web1', 'web2', 'web3'] } as const;

/** What a service has taken on all its hosts, in milliseconds of a processor. */
async function taken(service: keyof typeof SERVICES): Promise<number> {
  const said = await Promise.all(
    SERVICES[service].map(
      async (host) =>
        await ours(
          'lab',
          'exec',
          '--name',
          lab,
          host,
          '--',
          'systemctl',
          'show',
          '-P',
          'CPUUsageNSec',
          service,
        ),
    ),
  );
  return said.reduce((sum, text) => sum + Number(text) / 1e6, 0);
}

/** Does something and says what both services took meanwhile, each second. */
async function watched<T>(work: () => Promise<T>): Promise<{ result: T; haproxy: number; nginx: number }> {
  const before = await Promise.all([taken('haproxy'), taken('nginx')]);
  const startedAt = performance.now();
  const result = await work();
  const after = await Promise.all([taken('haproxy'), taken('nginx')]);
  const seconds = (performance.now() - startedAt) / 1000;
  return { result, haproxy: (after[0] - before[0]) / seconds, nginx: (after[1] - before[1]) / seconds };
}

async function requests(): Promise<void> {
  const figures = new Map<string, Figure[]>();
  // What checks of health and the database take, whatever visitors do.
  const idle = await watched(async () => await wait(SECONDS * 1000));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [variables, cases] of round % 2 === 0 ? CASES : CASES.toReversed()) {
      await up(variables, '--tags', 'haproxy,nginx');
      for (const [title, work] of cases) {
        const startedAt = performance.now();
        const { result, ...busy } = await watched(work);
        const seconds = (performance.now() - startedAt) / 1000;
        const requests = result.perSecond * SECONDS;
        const each = (name: 'haproxy' | 'nginx'): number => ((busy[name] - idle[name]) * seconds) / requests;
        const figure = {
          perSecond: result.perSecond,
          p99: result.p99,
          haproxy: each('haproxy'),
          nginx: each('nginx'),
        };
        figures.set(title, [...(figures.get(title) ?? []), figure]);
        process.stderr.write(`${title}: ${JSON.stringify(figure)}\n`);
      }
    }
  }
  const base = figures.get('http, kept') ?? [];
  for (const [title, found] of figures) {
    const middle = (name: keyof Figure): number => median(found.map((one) => one[name]));
    const ratio = (name: 'perSecond' | 'p99'): string =>
      (middle(name) / median(base.map((one) => one[name]))).toFixed(2);
    process.stdout.write(
      `${title}: ${middle('perSecond').toFixed(0)} requests a second (${ratio('perSecond')}), p99 ${middle('p99').toFixed(1)} ms (${ratio('p99')}); HAProxy ${middle('haproxy').toFixed(3)} ms, Nginx ${middle('nginx').toFixed(3)} ms each\n`,
    );
  }
}

/** A run with nothing to change, with all of it and without. */
async function runs(): Promise<void> {
  const found = new Map<string, number[]>();
  for (let round = 0; round < 2; round++) {
    for (const [title, variables] of [
      ['without', PLAIN],
      ['with', ALL],
    ] as const) {
      await up(variables);
      const argv = [...PROVISION, 'up', '-i', `inventory/${lab}`, '-e', JSON.stringify(variables)];
      for (let times = 0; times < 5; times++) {
        const { ms, status, output } = await measure(argv, { cwd });
        if (status !== 0 || !output.includes('Nothing to change')) throw new Error(output.slice(-2000));
        found.set(title, [...(found.get(title) ?? []), ms / 1000]);
      }
    }
  }
  const [without = 0, withAll = 0] = ['without', 'with'].map((title) => median(found.get(title) ?? []));
  process.stdout.write(
    `nothing to change: ${without.toFixed(2)} s without, ${withAll.toFixed(2)} s with all of it (${(withAll / without).toFixed(2)})\n`,
  );
}

try {
  if (ROUNDS > 0) await requests();
  await runs();
} finally {
  rmSync(directory, { recursive: true, force: true });
}
