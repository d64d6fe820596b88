import { EXIT, UserError } from '../../lib/errors.ts';
import { undrain } from '../../site/drain.ts';
import type { RollPorts } from '../../site/roll/execute.ts';
import { operatorName } from '../failover/options.ts';
import { drainHost, endDowntimes, type Carried } from './drain-host.ts';
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
  const { balancers, databases } = site;
  const carriedBy = (host: string): readonly Carried[] =>
    databases.flatMap((database) =>
      database.cluster.instances
        .filter((instance) => instance.host === host)
        .map((instance) => ({ database, instance })),
    );
  return {
    survey: async () => await surveySite(site),
    async move(move, signal) {
      if (move.kind === 'address') throw new UserError('not yet');
      const session = databases.find(({ cluster }) => cluster.name === move.cluster);
      if (session === undefined) throw new Error(`no session for ${move.cluster}`);
      return await switchOver(session, move, options.purpose, signal);
    },
    async drain(host, tell, signal) {
      const drained = { by: operatorName(), since: Date.now(), reason: options.purpose };
      const { requests } = await drainHost(balancers, host, carriedBy(host), drained, {
        timeoutMs: options.drainTimeoutMs,
        signal,
        // How many have to stay is the roll's own question, which is answered.
        evenTheLast: true,
        progress: (left) => {
          if (left.length > 0) tell(leftText(left));
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
    },
    work: options.work,
    welcome: async () => {},
    async undrain(host) {
      await undrain(balancers, host, {
        timeoutMs: options.timeoutMs,
        signal: new AbortController().signal,
        unchecked: false,
      });
      await endDowntimes(carriedBy(host));
    },
  };
}
