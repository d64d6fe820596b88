import { EXIT, UserError } from '../../lib/errors.ts';
import { listed } from '../../lib/listed.ts';
import { undrain } from '../../site/drain.ts';
import type { AddressBalancer } from '../../site/address.ts';
import { handOver } from '../../site/hand-over.ts';
import type { RollPorts } from '../../site/roll/execute.ts';
import { operatorName } from '../failover/options.ts';
import { drainHost, endDowntimes, type Carried } from './drain-host.ts';
import { connectionsText } from './handover-text.ts';
import { leftText } from './drain-text.ts';
import { surveySite } from './roll-survey.ts';
import { switchOver } from './roll-switchover.ts';
import type { WholeSite } from './site-session.ts';

export interface RollPortsOptions {
  readonly purpose: string;
  /** How long running requests may take, in milliseconds. */
  readonly drainTimeoutMs: number;
  /** How long the balancers may take to find a server healthy, in milliseconds. */
  readonly timeoutMs: number;
  /** A sentence for each host on which the work failed. */
  readonly work: (hosts: readonly string[]) => Promise<ReadonlyMap<string, string>>;
}

/** What a roll acts on, for real. */
export function rollPorts(site: WholeSite, options: RollPortsOptions): RollPorts {
  const { addressBalancers, balancers, databases } = site;
  const carriedBy = (host: string): readonly Carried[] =>
    databases.flatMap((database) =>
      database.cluster.instances
        .filter((instance) => instance.host === host)
        .map((instance) => ({ database, instance })),
    );
  const forServer = (host: string): boolean =>
    carriedBy(host).length > 0 || !balancers.some(({ name }) => name === host);
  return {
    survey: async () => await surveySite(site),
    async move(move, signal) {
      const session = databases.find(({ cluster }) => cluster.name === move.cluster);
      if (session === undefined) throw new Error(`no session for ${move.cluster}`);
      return await switchOver(session, move, options.purpose, signal);
    },
    async drain(host, tell, signal) {
      const from = addressBalancers.find(({ name }) => name === host);
      try {
        const said = from && (await leave(from, signal));
        if (forServer(host)) await drainServer(host, tell, signal);
        return said;
      } catch (error) {
        // It was worked on by nobody, so it may hold the addresses as before.
        await from?.stay();
        throw error;
      }
    },
    work: options.work,
    async undrain(host) {
      await addressBalancers.find(({ name }) => name === host)?.stay();
      if (!forServer(host)) return;
      await undrain(balancers, host, {
        timeoutMs: options.timeoutMs,
        signal: new AbortController().signal,
        unchecked: false,
      });
      await endDowntimes(carriedBy(host));
    },
  };

  /** A balancer hands the site's addresses over, and finishes its connections. */
  async function leave(from: AddressBalancer, signal: AbortSignal): Promise<string> {
    const [to, third] = addressBalancers.filter((one) => one !== from);
    if (to === undefined || third !== undefined) {
      throw new UserError(
        {
          message: `a hand-over needs two balancers; the inventory has ${addressBalancers.length}`,
          hint: 'of several, keepalived chooses one, and connections break: leave balancers out with --hosts',
        },
        { exitCode: EXIT.failed },
      );
    }
    const { drainTimeoutMs: timeoutMs } = options;
    const { moved, left } = await handOver(from, to, { timeoutMs, signal });
    if (left > 0) {
      throw new UserError(
        {
          message: `${connectionsText(left)} at ${from.name}, after ${timeoutMs / 1000} s; ${to.name} keeps the addresses`,
          hint: 'see `provision handover --status`, or give them longer with --drain-timeout',
        },
        { exitCode: EXIT.failed },
      );
    }
    return moved.length === 0 ? `${from.name} has no connection left` : `${to.name} holds ${listed(moved)}`;
  }

  async function drainServer(
    host: string,
    tell: (message: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const drained = { by: operatorName(), since: Date.now(), reason: options.purpose };
    const { requests } = await drainHost(balancers, host, carriedBy(host), drained, {
      timeoutMs: options.drainTimeoutMs,
      signal,
      // How many have to stay is the roll's own question, which is answered.
      evenTheLast: true,
      progress(left) {
        const running = left.filter(({ part }) => part === 'requests');
        if (running.length > 0) tell(leftText(running));
      },
    });
    if (requests.length === 0) return;
    await undrain(balancers, host, { timeoutMs: 0, signal, unchecked: true });
    await endDowntimes(carriedBy(host));
    throw new UserError(
      {
        message: `${leftText(requests)}, after ${options.drainTimeoutMs / 1000} s; it was put back`,
        hint: 'see what they do, or give them longer with --drain-timeout',
      },
      { exitCode: EXIT.failed },
    );
  }
}
