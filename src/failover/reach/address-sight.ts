import { isIPv6 } from 'node:net';

import { EXIT, UserError } from '../../lib/errors.ts';
import { run } from '../../lib/process.ts';
import { addressHolder } from './address-holder.ts';
import { agentVerbs } from './machine-agent.ts';
import type { RunVerb } from './machine-verbs.ts';

/** Another balancer, which may say that it holds an address. */
export interface OtherBalancer {
  readonly name: string;
  readonly address: string;
  readonly interface: string;
}

export interface SightOptions {
  readonly addresses: readonly string[];
  readonly others: readonly OtherBalancer[];
  /** Prints what this balancer sees of each address; the program of the role keepalived. */
  readonly program?: readonly string[] | undefined;
  /** Runs a verb of `understudy-node` on another balancer. */
  readonly verbs?: ((other: OtherBalancer) => RunVerb) | undefined;
}

const LOOK_MS = 15_000;
const ASK_MS = 6000;
const AGENT_KEY = '/etc/understudy-agent/key';

/**
 * Whether a balancer holds each of the site's addresses: this one, or one that answers for it on the front network, or
 * one that says so itself. Rejects when this balancer cannot look.
 */
export async function seeAddresses(
  { addresses, others, program = ['/usr/local/sbin/vip-handover', 'seen'], verbs = agentOn }: SightOptions,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, boolean>> {
  const { status, stdout, stderr, cut } = await run(program, { timeoutMs: LOOK_MS, signal });
  if (status !== 0) {
    const why = cut === undefined ? stderr.trim() || `status ${status}` : 'it did not end in time';
    throw new UserError(`who holds the site's addresses cannot be seen: ${why}`, { exitCode: EXIT.failed });
  }
  const seen = new Map(
    [...stdout.matchAll(/^(\S+) (here|answers|silent)$/gm)].map(([, address = '', state]) => [
      address,
      state !== 'silent',
    ]),
  );
  return new Map(
    await Promise.all(
      addresses
        .filter((address) => seen.has(address))
        .map(async (address) => {
          const held = seen.get(address) === true || (await claimed(address, others, verbs));
          return [address, held] as const;
        }),
    ),
  );
}

/** What nobody answers for may be behind a network that is cut between the balancers. One that is silent has nothing. */
async function claimed(
  address: string,
  others: readonly OtherBalancer[],
  verbs: (other: OtherBalancer) => RunVerb,
): Promise<boolean> {
  const claims = await Promise.all(
    others.map(async (other) => {
      const { name: host, interface: device } = other;
      try {
        return await addressHolder({
          host,
          address: `${address}/${isIPv6(address) ? 128 : 32}`,
          interface: device,
          run: verbs(other),
          timeoutMs: ASK_MS,
        }).holds();
      } catch (error) {
        if (error instanceof UserError && error.exitCode === EXIT.unreachable) return false;
        throw error;
      }
    }),
  );
  return claims.includes(true);
}

function agentOn({ name: host, address }: OtherBalancer): RunVerb {
  return agentVerbs({ host, address, key: AGENT_KEY });
}
