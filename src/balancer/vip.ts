import { poll, sleep, within } from '../lib/async.ts';
import { EXIT, UserError } from '../lib/errors.ts';
import { listed } from '../lib/listed.ts';
import type { Balancer } from './balancer.ts';

/** A host that may carry the address. Each method may be repeated, and rejects when the host cannot be reached. */
export interface AddressHolder {
  /** The inventory's host. */
  readonly host: string;
  /** Whether the host carries the address now. */
  holds(): Promise<boolean>;
  /** Rejects when the host could not carry it: it has no such interface, or lacks a program. */
  ready(): Promise<void>;
  /** Adds the address and tells the network, again and again for a few seconds. */
  take(): Promise<void>;
  /** Removes the address. */
  drop(): Promise<void>;
}

export interface VipOptions {
  readonly name: string;
  /** The address, for messages. */
  readonly address: string;
  /**
   * `failover` adds and removes the address itself. `keepalived` does so by a check of its own whether the server takes
   * writes, and here it is only looked at.
   */
  readonly movedBy: 'failover' | 'keepalived';
  readonly holders: readonly AddressHolder[];
  readonly timeoutMs: number;
}

/** How much longer those hosts are waited for that are silent when another one has answered. */
const AFTER_THE_FIRST_MS = 1500;
/** A change does not wait for all of the time for the old primary's host, which may be what the change is about … */
const SHARE_OF_THE_OLD = 0.5;
/** … and not for longer than this when it did not answer before either. */
const SILENT_PATIENCE_MS = 300;
const POLL_MS = 100;

/**
 * An address that is on the primary's host. Where it is on two, the network leads some clients to one and some to the
 * other, so it must leave the old primary's host even when nobody reaches that:
 *
 * - A host keeps the address only for as long as its own server says that it takes writes. Beside the address runs a
 *   guard that asks, and renews the address's lifetime in the kernel every second (`files/failover/understudy-node`).
 *   When the server hangs, or the whole host except for its kernel, the lifetime ends after ten seconds. An old primary
 *   that goes on in time keeps the address beside the new one until the watch takes it away there, or the fence.
 * - No configuration file has it, so a host that starts does not have it.
 */
export function vipBalancer({ name, address, movedBy, holders, timeoutMs }: VipOptions): Balancer {
  const holderOf = (server: string): AddressHolder => {
    const holder = holders.find((each) => each.host === server);
    if (holder !== undefined) return holder;
    throw new UserError(`${name}: the cluster has no instance on '${server}'`, { exitCode: EXIT.failed });
  };
  const inTime = async <T>(host: string, work: Promise<T>, ms = timeoutMs): Promise<T> =>
    await within(work, {
      ms,
      expired: () =>
        new UserError(`${host} did not answer within ${Math.round(ms)} ms`, {
          exitCode: EXIT.unreachable,
        }),
    });

  /** Hosts that did not answer when they were asked last. */
  const silent = new Set<string>();
  const drop = async (holder: AddressHolder): Promise<void> =>
    await inTime(
      holder.host,
      holder.drop(),
      silent.has(holder.host) ? SILENT_PATIENCE_MS : timeoutMs * SHARE_OF_THE_OLD,
    );

  /** The hosts that carry the address. Rejects when none answers: then nobody knows. */
  const writers = async (): Promise<readonly string[]> => {
    const answers = new Map<string, boolean>();
    const asked = holders.map(async (holder) => {
      answers.set(holder.host, await inTime(holder.host, holder.holds()));
    });
    const patience = Promise.any(asked).then(async () => await sleep(AFTER_THE_FIRST_MS));
    patience.catch(() => {});
    const seen = await Promise.allSettled(asked.map((one) => Promise.race([one, patience])));
    for (const { host } of holders) {
      if (answers.has(host)) silent.delete(host);
      else silent.add(host);
    }
    if (answers.size > 0) return holders.map(({ host }) => host).filter((host) => answers.get(host));
    const reasons = seen.flatMap((one) => (one.status === 'rejected' ? [(one.reason as Error).message] : []));
    throw new UserError(`${name}: no host says whether it has ${address}: ${reasons.join('; ')}`, {
      exitCode: EXIT.unreachable,
    });
  };

  const seeOnly = async (server: string): Promise<void> => {
    let found: readonly string[] = [];
    const arrived = await poll(
      async () => {
        found = await writers();
        return (found.length === 1 && found[0] === server) || undefined;
      },
      { everyMs: POLL_MS, withinMs: timeoutMs },
    );
    if (arrived) return;
    throw new UserError(
      `${name}: ${address} is on ${found.length === 0 ? 'no host' : listed(found)} instead of ${server}`,
      { exitCode: EXIT.failed },
    );
  };

  const common = { name, kind: 'vip', staleSeconds: 0, writers, close: async () => {} } as const;
  if (movedBy === 'keepalived') {
    return {
      ...common,
      checks: true,
      async expect(server) {
        holderOf(server);
        await writers();
      },
      pointWriters: seeOnly,
    };
  }
  return {
    ...common,
    checks: false,
    async expect(server) {
      const holder = holderOf(server);
      // The ways to all of them are open from now on.
      await Promise.all([inTime(server, holder.ready()), writers()]);
    },
    async endWriters(server) {
      await drop(holderOf(server));
    },
    async pointWriters(server) {
      const holder = holderOf(server);
      const dropped = Promise.allSettled(holders.filter((each) => each !== holder).map(drop));
      await holder.take();
      for (const one of await dropped) {
        // A host that does not answer is left to its guard.
        if (one.status === 'rejected' && !isUnreachable(one.reason)) throw one.reason;
      }
    },
  };
}

function isUnreachable(error: unknown): boolean {
  return error instanceof UserError && error.exitCode === EXIT.unreachable;
}
