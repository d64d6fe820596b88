import { join } from 'node:path';
import { UserError } from '../lib/errors.ts';
import type { ProcessResult } from '../lib/process.ts';
import { system } from './system.ts';
import { setFrozen } from './cgroup.ts';
import { enterHost, type HostState, hostGroup, hostState, killHost, startHost, waitForSsh } from './host.ts';
import { addCuts, isolatedFrom } from './isolation.ts';
import { backAddress, CLIENT, frontAddress, hostSpec, OPERATOR } from './layout.ts';
import { type Lab, openLab } from './lab.ts';
import { inNamespace, networkIsUp, readCuts, writeCuts } from './network.ts';
import type { Debian } from './release.ts';
import { packageCacheStatistics } from './package-cache-process.ts';
import type { PackageCacheStatistics } from './package-cache.ts';

/** What is true of one host. */
export interface HostStatus {
  readonly name: string;
  readonly state: HostState;
  readonly frontAddress?: string;
  readonly backAddress: string;
  /** The peers it is cut from, or `everyone`. */
  readonly isolatedFrom: readonly string[];
}

/** What is true of a lab. */
export interface LabStatus {
  readonly name: string;
  /** The hosts' release of Debian. */
  readonly debian: Debian;
  readonly network: boolean;
  /** What the package cache did since it was started; null when it does not run. */
  readonly packageCache: PackageCacheStatistics | null;
  readonly inventory: string;
  readonly hosts: readonly HostStatus[];
}

/** Looks at a lab; changes nothing. */
export async function status(name?: string): Promise<LabStatus> {
  const lab = await openLab(name);
  const cuts = await readCuts(lab.names);
  const hosts = await Promise.all(
    lab.hosts.map(async (host): Promise<HostStatus> => {
      const front = frontAddress(lab.network, host);
      return {
        name: host.name,
        state: await hostState(lab, host.name),
        ...(front !== undefined && { frontAddress: front }),
        backAddress: backAddress(lab.network, host),
        isolatedFrom: isolatedFrom(cuts, host.name),
      };
    }),
  );
  return {
    name: lab.lab,
    debian: lab.debian,
    network: await networkIsUp(lab.names, lab.network),
    packageCache: (await packageCacheStatistics(lab.network)) ?? null,
    inventory: lab.inventory,
    hosts,
  };
}

/** Cuts a host's power: its peers hear nothing more, not even that its connections ended. */
export async function kill(host: string, name?: string): Promise<void> {
  const lab = await openLab(name);
  hostSpec(lab.hosts, host);
  await killHost(lab, host);
}

/** Switches a host on that was killed or that switched itself off, and waits for its SSH server. */
export async function start(host: string, name?: string): Promise<void> {
  const lab = await openLab(name);
  const spec = hostSpec(lab.hosts, host);
  const state = await hostState(lab, host);
  if (state === 'frozen')
    throw new UserError({ message: `${host} is frozen`, hint: `provision lab thaw ${host}` });
  if (state === 'stopped') await startHost(lab, spec);
  await waitForSsh(lab, host);
}

/** Stops every process of a host where it is; its kernel still acknowledges packets, as that of a hung host does. */
export async function freeze(host: string, name?: string): Promise<void> {
  await setHostFrozen(host, name, true);
}

/** Lets a frozen host go on. */
export async function thaw(host: string, name?: string): Promise<void> {
  await setHostFrozen(host, name, false);
}

/** Cuts a host from everyone, or from some peers only: hosts, `operator` or `client`. */
export async function isolate(host: string, from: readonly string[] = [], name?: string): Promise<void> {
  const lab = await openLab(name);
  hostSpec(lab.hosts, host);
  for (const peer of from) if (peer !== OPERATOR && peer !== CLIENT) hostSpec(lab.hosts, peer);
  if (from.includes(host)) throw new UserError(`${host} cannot be isolated from itself`);
  await writeCuts(lab.names, addCuts(await readCuts(lab.names), host, from));
}

/** Ends every fault: cuts are mended, frozen hosts go on, hosts without power are started. */
export async function heal(name?: string): Promise<void> {
  const lab = await openLab(name);
  await writeCuts(lab.names, []);
  await Promise.all(
    lab.hosts.map(async (host) => {
      const state = await hostState(lab, host.name);
      if (state === 'frozen') await setFrozen(join(hostGroup(lab, host.name), 'boot'), false);
      if (state === 'stopped') await startHost(lab, host);
      await waitForSsh(lab, host.name);
    }),
  );
}

/** Runs a program in a host, as root, or in the client's place on the network. It needs no SSH. */
export async function exec(
  host: string,
  argv: readonly string[],
  options: { readonly name?: string; readonly input?: string; readonly timeoutMs?: number } = {},
): Promise<ProcessResult> {
  return system(await execCommand(await openLab(options.name), host, argv), options);
}

/** The command line, for this machine, that runs `argv` in a host or as the client. */
export async function execCommand(
  lab: Lab,
  host: string,
  argv: readonly string[],
): Promise<readonly string[]> {
  if (host === CLIENT) return inNamespace(lab.names.clientNamespace, argv);
  hostSpec(lab.hosts, host);
  return enterHost(lab, host, argv);
}

async function setHostFrozen(host: string, name: string | undefined, frozen: boolean): Promise<void> {
  const lab = await openLab(name);
  hostSpec(lab.hosts, host);
  const state = await hostState(lab, host);
  if (state === 'stopped') {
    throw new UserError({ message: `${host} is not running`, hint: `provision lab start ${host}` });
  }
  await setFrozen(join(hostGroup(lab, host), 'boot'), frozen);
}
