import { UserError } from '../../../src/lib/errors.ts';
import type { Move, RollWish } from '../../../src/site/roll/next.ts';
import type { RollPorts } from '../../../src/site/roll/execute.ts';
import type { RollSurvey } from '../../../src/site/roll/survey.ts';

/** Three servers, each with an instance and a member of etcd, db1 being the primary, and two balancers, lb1 the holder. */
export function survey(change: Partial<RollSurvey> = {}): RollSurvey {
  const hosts = ['web1', 'web2', 'web3'];
  return {
    servers: hosts.map((host) => ({ host, trouble: undefined, drained: undefined, requests: 0 })),
    balancers: [
      { host: 'lb1', trouble: undefined, holds: ['10.0.0.100'], yields: false, longestFinish: 900 },
      { host: 'lb2', trouble: undefined, holds: [], yields: false, longestFinish: 900 },
    ],
    databases: [
      {
        cluster: 'main',
        instances: hosts.map((host, index) => ({
          name: `db${index + 1}`,
          host,
          isPrimary: index === 0,
          trouble: undefined,
          lagSeconds: index === 0 ? undefined : 0,
          acknowledges: index !== 0,
        })),
        trouble: undefined,
        acksRequired: 1,
        lagLimitSeconds: 10,
      },
    ],
    store: hosts.map((host) => ({ host, trouble: undefined })),
    ...change,
  };
}

export const ALL = ['lb1', 'lb2', 'web1', 'web2', 'web3'];

export function wish(change: Partial<RollWish> = {}): RollWish {
  return { hosts: ALL, serial: { kind: 'number', number: 1 }, minAvailable: undefined, ...change };
}

/** The tool is killed. */
export class Killed extends Error {}

/** A site in memory. Every call of a port is told; `before` and `after` may throw, or change the site. */
export class FakeSite implements RollPorts {
  readonly out = new Set<string>();
  readonly said: string[] = [];
  /** How often each host was worked on. */
  readonly worked = new Map<string, number>();
  primary = 'db1';
  acksRequired = 1;
  /** Hosts with a member of etcd. */
  members: readonly string[] = ['web1', 'web2', 'web3'];
  isKilled = false;
  holder = 'lb1';
  /** Why a host is not well. */
  readonly sick = new Map<string, string>();
  /** The fewest servers that were in service at any time. */
  fewest = 3;
  before: (call: string) => void = () => {};
  after: (call: string) => void = () => {};

  async survey(): Promise<RollSurvey> {
    const base = survey();
    const trouble = (host: string): string | undefined => this.sick.get(host);
    return {
      ...base,
      servers: base.servers.map(({ host, ...rest }) => ({
        ...rest,
        host,
        trouble: trouble(host) ?? (this.out.has(host) ? 'drained' : undefined),
        drained: this.out.has(host) ? { by: 'ann@desk', since: 0, reason: 'roll' } : undefined,
      })),
      balancers: base.balancers.map(({ host }) => ({
        host,
        trouble: trouble(host),
        holds: host === this.holder ? ['10.0.0.100'] : [],
        yields: this.out.has(host),
        longestFinish: 900,
      })),
      databases: base.databases.map((database) => ({
        ...database,
        acksRequired: this.acksRequired,
        instances: database.instances.map((one) => ({
          ...one,
          isPrimary: one.name === this.primary,
          acknowledges: one.name !== this.primary,
          trouble: trouble(one.host),
        })),
      })),
      store: this.members.map((host) => ({ host, trouble: trouble(host) })),
    };
  }

  async move(move: Move): Promise<string> {
    this.#call(`move the primary from ${move.host}`);
    this.primary = move.among[0] ?? (this.primary === 'db2' ? 'db3' : 'db2');
    this.after('move');
    return 'moved';
  }

  async drain(host: string): Promise<undefined> {
    this.#call(`drain ${host}`);
    this.out.add(host);
    if (host === this.holder) this.holder = host === 'lb1' ? 'lb2' : 'lb1';
    this.fewest = Math.min(this.fewest, 3 - [...this.out].filter((one) => one.startsWith('web')).length);
    this.after(`drain ${host}`);
    return undefined;
  }

  async work(hosts: readonly string[]): Promise<ReadonlyMap<string, string>> {
    this.#call(`work ${hosts.join()}`);
    for (const host of hosts) {
      if (host === this.holder) throw new Error(`${host} holds the address`);
      if (!this.out.has(host)) throw new Error(`${host} is in service`);
      if (host === `web${this.primary.slice(2)}`) throw new Error(`${host} carries the primary`);
      this.worked.set(host, (this.worked.get(host) ?? 0) + 1);
    }
    this.after(`work ${hosts.join()}`);
    return new Map(
      hosts.filter((host) => this.sick.has(host)).map((host) => [host, this.sick.get(host) ?? '']),
    );
  }

  async undrain(host: string): Promise<void> {
    this.#call(`undrain ${host}`);
    const trouble = this.sick.get(host);
    if (trouble !== undefined) throw new UserError(trouble);
    this.out.delete(host);
    this.after(`undrain ${host}`);
  }

  #call(text: string): void {
    this.before(text);
    this.said.push(text);
  }
}
