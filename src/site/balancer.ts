import type { Opened } from '../transport/reopened.ts';
import { type BalancerProgram, callProgram } from './balancer-program.ts';
import { parseCounters, type ProcessCounters } from './counters.ts';
import { type Drained, drainedLine } from './drained.ts';
import { parsePool, type Pool } from './pool.ts';

/** One balancer, as far as servers are taken out of it and put back. Every method may be repeated. */
export interface SiteBalancer {
  readonly name: string;
  pool(): Promise<Pool>;
  /** New requests and sessions go elsewhere from now on; also after a restart. */
  takeOut(server: string, drained: Drained): Promise<Pool>;
  putBack(server: string): Promise<Pool>;
  /** What each of its processes has counted. */
  counters(): Promise<readonly ProcessCounters[]>;
}

const PROGRAM: BalancerProgram = {
  path: '/usr/local/sbin/haproxy-drain',
  name: 'haproxy-drain',
  role: 'haproxy',
  units: ['haproxy'],
};
const TIMEOUT_MS = 10_000;

/** A balancer, reached as root: its role has put a program there that does the work. */
export function siteBalancer(name: string, open: () => Promise<Opened>): SiteBalancer {
  const run = async (argv: readonly string[], stdin = ''): Promise<string> =>
    await callProgram(name, open, PROGRAM, argv, { timeoutMs: TIMEOUT_MS, stdin });
  return {
    name,
    pool: async () => parsePool(name, await run(['list'])),
    takeOut: async (server, drained) => parsePool(name, await run(['out', server], drainedLine(drained))),
    putBack: async (server) => parsePool(name, await run(['in', server])),
    counters: async () => parseCounters(name, await run(['counters'])),
  };
}
