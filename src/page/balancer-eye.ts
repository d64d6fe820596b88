import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';

import { type RuntimeApi, runtimeApi } from '../balancer/runtime-api.ts';
import { parseServersState } from '../balancer/servers-state.ts';
import { UserError } from '../lib/errors.ts';
import { type Drained, parseDrained } from '../site/drained.ts';
import { parsePool, partOf } from '../site/pool.ts';
import type { BalancerState } from './model/state.ts';

/** How one balancer is looked at. */
export interface BalancerWays {
  readonly name: string;
  /** Opens a connection to HAProxy's runtime API. */
  readonly open: () => Promise<Duplex>;
  /** Whether it has this address on its front interface. */
  readonly holds: (address: string, device: string) => Promise<boolean>;
  /** How often it is asked: another host costs a login. */
  readonly everyMs: number;
}

/** The addresses that move between the balancers, and the interface that they are on. */
export interface SiteAddresses {
  readonly device: string;
  readonly addresses: readonly string[];
}

const TIMEOUT_MS = 3000;

/** Looks at one balancer: the servers of its backends, and the addresses that it holds. */
export function balancerEye({ name, open, holds }: BalancerWays): {
  look(site: SiteAddresses): Promise<BalancerState>;
  close(): void;
} {
  const api = runtimeApi({ name, open, timeoutMs: TIMEOUT_MS });
  let backends: readonly string[] | undefined;
  const addressesOf = async ({ addresses, device }: SiteAddresses): Promise<BalancerState['addresses']> =>
    await Promise.all(
      addresses.map(async (address) => ({
        address,
        held: await holds(address, device).catch(unlessOurs(null)),
      })),
    );
  const serversOf = async (): Promise<Pick<BalancerState, 'servers' | 'silence'>> => {
    try {
      backends ??= await backendsOf(api);
      return { servers: [...(await poolOf(name, api, backends))], silence: null };
    } catch (error) {
      // Another configuration may have others.
      backends = undefined;
      if (!(error instanceof UserError)) throw error;
      return { servers: [], silence: error.problems[0]?.message ?? error.message };
    }
  };
  return {
    async look(site) {
      const [addresses, servers] = await Promise.all([addressesOf(site), serversOf()]);
      return { name, addresses, ...servers };
    },
    close: () => api.close(),
  };
}

/** The backends that requests and readers go to. */
async function backendsOf(api: RuntimeApi): Promise<readonly string[]> {
  const [listed = ''] = await api.ask(['show backend'], (_, answer) => answer.startsWith('# name'));
  return listed.split('\n').filter((backend) => partOf(backend) !== undefined);
}

/** The servers that the site's requests and its readers go to, asked of HAProxy itself. */
async function poolOf(
  name: string,
  api: RuntimeApi,
  backends: readonly string[],
): Promise<BalancerState['servers']> {
  const answers = await api.ask(
    [...backends.map((backend) => `show servers state ${backend}`), 'show stat -1 4 -1'],
    (index, answer) =>
      index < backends.length ? parseServersState(answer) !== undefined : answer.startsWith('# pxname,'),
  );
  return [...parsePool(name, `${answers.join('\n\n')}\n`).servers];
}

/** The addresses that move, as the role keepalived has written them for `vip-handover`; none without the file. */
export async function siteAddresses(file = '/etc/keepalived/handover.conf'): Promise<SiteAddresses> {
  const text = await readFile(file, 'utf8').catch(unlessMissing(''));
  const value = (name: string): string => new RegExp(`^${name}="?([^"\\n]*)"?$`, 'm').exec(text)?.[1] ?? '';
  return {
    device: value('INTERFACE'),
    addresses: value('ADDRESSES')
      .split(/\s+/)
      .filter((one) => one !== '')
      .map((one) => one.replace(/^[^=]*=/, '')),
  };
}

/** Who was taken out of service by whom, as `haproxy-drain` keeps it here: every balancer has the same notes. */
export async function drainedServers(
  directory = '/var/lib/haproxy-drained',
): Promise<readonly (Drained & { readonly server: string })[]> {
  const names = await readdir(directory).catch(unlessMissing([] as string[]));
  const notes = await Promise.all(
    names
      // One with a dot in front is being written.
      .filter((name) => !name.startsWith('.'))
      .map(async (server) => {
        const note = await readFile(join(directory, server), 'utf8').catch(unlessMissing(undefined));
        return note === undefined ? [] : [{ server, ...parseDrained(note.split('\n')[0] ?? '') }];
      }),
  );
  return notes.flat();
}

function unlessMissing<T>(instead: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'ENOENT') return instead;
    throw error;
  };
}

function unlessOurs<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof UserError) return instead;
    throw error;
  };
}
