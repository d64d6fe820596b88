import type { SiteBalancer } from '../../src/site/balancer.ts';
import type { Drained } from '../../src/site/drained.ts';
import { countsBy } from '../../src/site/counters.ts';
import type { Pool, PoolServer } from '../../src/site/pool.ts';
import { UserError } from '../../src/lib/errors.ts';

interface FakeServer {
  requests: number;
  reads: number;
  passes: boolean;
}

/** A balancer in memory. `onPool` is called before each look, so that a test lets things happen. */
export interface FakeBalancer extends SiteBalancer {
  readonly servers: Map<string, FakeServer>;
  readonly out: Map<string, Drained>;
  readonly said: string[];
  onPool: () => void;
  /** Says what goes wrong with the next command. */
  fail: string | undefined;
}

export function fakeBalancer(
  name: string,
  names: readonly string[] = ['web1', 'web2', 'web3'],
): FakeBalancer {
  const servers = new Map(names.map((one) => [one, { requests: 0, reads: 0, passes: true }]));
  const out = new Map<string, Drained>();
  const read = (): Pool => ({
    balancer: name,
    drained: new Map(out),
    servers: [...servers].flatMap(([server, { requests, reads, passes }]): readonly PoolServer[] => {
      const common = { name: server, isOut: out.has(server), passes, check: passes ? 'L7OK' : 'L4CON' };
      return [
        { ...common, part: 'requests', current: requests },
        { ...common, part: 'reads', current: reads },
      ];
    }),
  });
  const act = (text: string, work: () => void): Promise<Pool> => {
    fake.said.push(text);
    const { fail } = fake;
    fake.fail = undefined;
    if (fail !== undefined) return Promise.reject(new UserError(`${name}: ${fail}`));
    work();
    return Promise.resolve(read());
  };
  const fake: FakeBalancer = {
    name,
    servers,
    out,
    said: [],
    onPool: () => {},
    fail: undefined,
    pool: () => {
      fake.onPool();
      return Promise.resolve(read());
    },
    takeOut: (server, drained) => act(`out ${server}`, () => out.set(server, drained)),
    putBack: (server) => act(`in ${server}`, () => out.delete(server)),
    counters: () => Promise.resolve([{ pid: 1, counts: countsBy(() => 0), slowestMs: 0 }]),
  };
  return fake;
}
