import { EXIT, UserError } from '../lib/errors.ts';
import { command } from '../lib/shell.ts';
import type { Opened } from '../transport/reopened.ts';
import { type Drained, drainedLine } from './drained.ts';
import { parsePool, type Pool } from './pool.ts';

/** One balancer, as far as servers are taken out of it and put back. Every method may be repeated. */
export interface SiteBalancer {
  readonly name: string;
  pool(): Promise<Pool>;
  /** New requests and sessions go elsewhere from now on; also after a restart. */
  takeOut(server: string, drained: Drained): Promise<Pool>;
  putBack(server: string): Promise<Pool>;
}

const PROGRAM = '/usr/local/sbin/haproxy-drain';
const TIMEOUT_MS = 10_000;
const NOT_FOUND = 127;

/** A balancer, reached as root: its role has put a program there that does the work. */
export function siteBalancer(name: string, open: () => Promise<Opened>): SiteBalancer {
  const run = async (argv: readonly string[], stdin = ''): Promise<Pool> => {
    const { connection, become } = await open();
    const { status, stdout, stderr, timedOut } = await connection.run(command([PROGRAM, ...argv]), {
      become,
      timeoutMs: TIMEOUT_MS,
      stdin: Buffer.from(stdin),
    });
    if (status === 0) return parsePool(name, stdout.toString('utf8'));
    const said = timedOut
      ? `it did not end within ${TIMEOUT_MS / 1000} s`
      : stderr
          .toString('utf8')
          .trim()
          .replace(/^haproxy-drain: /, '');
    throw new UserError(
      status === NOT_FOUND
        ? {
            message: `${name}: there is no ${PROGRAM}`,
            hint: 'the role haproxy installs it: `provision up` first',
          }
        : { message: `${name}: ${said}`, hint: `see journalctl -u haproxy on ${name}` },
      { exitCode: EXIT.failed },
    );
  };
  return {
    name,
    pool: async () => await run(['list']),
    takeOut: async (server, drained) => await run(['out', server], drainedLine(drained)),
    putBack: async (server) => await run(['in', server]),
  };
}
