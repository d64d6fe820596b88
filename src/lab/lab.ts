import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../lib/errors.ts';
import { system } from './system.ts';
import { basePath, baseVersion, ensureBase, hasBase, removeOldBases } from './base-image.ts';
import { killGroup, setFrozen } from './cgroup.ts';
import { ensureKeys, hasDisk, makeDisk } from './disk.ts';
import {
  type HostContext,
  hostGroup,
  hostState,
  reachesPackageCache,
  startHost,
  waitForSsh,
} from './host.ts';
import { inventoryDirectory, removeInventory, writeInventory } from './inventory-directory.ts';
import {
  checkLabName,
  DEFAULT_LAB,
  DEFAULT_SERVERS,
  type HostSpec,
  labHosts,
  labNames,
  labNetwork,
  labPaths,
  PACKAGE_CACHE_PORT,
} from './layout.ts';
import { withLock } from './lock.ts';
import { createNetwork, networkFaults, networkIsUp, removeNetwork, writeCuts } from './network.ts';
import { ensurePackageCache } from './package-cache-process.ts';
import { prepareMachine } from './preflight.ts';
import { type Debian, DEFAULT_DEBIAN } from './release.ts';
import { allStates, chooseIndex, type LabState, readState, writeState } from './state.ts';

export interface LabOptions {
  /** The lab's name; `lab` by default. Labs of different names run beside each other. */
  readonly name?: string | undefined;
  /** Told what is being done, one line a step. */
  readonly report?: ((step: string) => void) | undefined;
}

export interface UpOptions extends LabOptions {
  /** Where to look for the `inventory` directory from; the current directory by default. */
  readonly from?: string | undefined;
  /** The hosts' release of Debian; without it a lab keeps the one that it has. */
  readonly debian?: Debian | undefined;
  /** How many servers; without it a lab keeps those that it has. More of them are added to it. */
  readonly servers?: number | undefined;
  /** Whether the spare host is to watch the site; without it, it stays what it is. */
  readonly monitoring?: boolean | undefined;
}

/** A lab that is up, as its commands see it. */
export interface Lab extends HostContext {
  /** The inventory's directory, absolute. */
  readonly inventory: string;
  readonly debian: Debian;
  readonly hosts: readonly HostSpec[];
}

/**
 * Makes the lab complete, whatever state it is in: builds what is missing, repairs what a crash or a reboot of this
 * machine broke, starts hosts that are off, and ends all faults. Hosts that exist keep their disks.
 */
export async function up(options: UpOptions = {}): Promise<Lab> {
  return whileLocked(options, async ({ name, cgroups, report }) => {
    const names = labNames(name);
    let state = await readState(name);
    if (!state) {
      // 1. No state, perhaps because it was removed by hand: start from nothing.
      await dismantle(name, cgroups, undefined);
      state = await withLock('labs', waiting(report), async () => {
        const inventory = await inventoryDirectory(name, options.from ?? process.cwd());
        const debian = options.debian ?? DEFAULT_DEBIAN;
        const { servers = DEFAULT_SERVERS, monitoring = false } = options;
        const index = await chooseIndex(name);
        const fresh: LabState = { name, index, debian, servers, monitoring, inventory };
        await writeState(fresh);
        return fresh;
      });
    } else {
      if (options.debian !== undefined && options.debian !== state.debian) throw otherDebian(state);
      const { servers = state.servers, monitoring = state.monitoring } = options;
      if (servers < state.servers) throw fewerServers(state);
      state = {
        ...state,
        servers,
        monitoring,
        inventory: await inventoryDirectory(name, options.from ?? process.cwd()),
      };
      await writeState(state);
    }

    // 2. The network. Half a network is none, and hosts on it lost theirs.
    const network = labNetwork(state.index);
    const keys = ensureKeys(
      name,
      labHosts(state.servers).map((host) => host.name),
    );
    if (await networkIsUp(names, network)) await writeCuts(names, []);
    else {
      report('make the networks');
      await dismantle(name, cgroups, state);
      await createNetwork(names, network);
    }

    // 3. Packages and the base image.
    await ensurePackageCache(network, join(cgroups, names.cgroup, 'package-cache'), labPaths(name).cacheLog);
    await keys;
    state = await withBase(state, cgroups, report);

    // 4. The hosts.
    const lab = labOf(state, cgroups);
    const started = await Promise.all(lab.hosts.map((host) => bringUp(lab, host)));
    const count = started.filter(Boolean).length;
    if (count > 0) report(`boot ${count} hosts`);
    await Promise.all(lab.hosts.map((host) => waitForSsh(lab, host.name)));

    // 5. Tell the rest of the world.
    await writeInventory(state, network);
    await lookAtAll(lab);
    report(`ready: ${state.inventory}`);
    return lab;
  });
}

/** Throws the hosts' disks away and boots bare ones. Networks, keys and addresses stay. */
export async function reset(options: LabOptions = {}): Promise<Lab> {
  return whileLocked(options, async ({ name, cgroups, report }) => {
    const found = await requireState(name);
    const names = labNames(name);
    const network = labNetwork(found.index);
    if (!(await networkIsUp(names, network))) throw notUp(name);
    report('throw the disks away');
    const lab = labOf(found, cgroups);
    await Promise.all(lab.hosts.map((host) => killGroup(hostGroup(lab, host.name))));
    await writeCuts(names, []);
    await removeDisks(name);
    await ensurePackageCache(network, join(cgroups, names.cgroup, 'package-cache'), labPaths(name).cacheLog);
    const { base: _, ...withoutBase } = found;
    const fresh = labOf(await withBase(withoutBase, cgroups, report), cgroups);
    report(`boot ${fresh.hosts.length} hosts`);
    await Promise.all(fresh.hosts.map((host) => bringUp(fresh, host)));
    await Promise.all(fresh.hosts.map((host) => waitForSsh(fresh, host.name)));
    await lookAtAll(fresh);
    report('ready');
    return fresh;
  });
}

/** Ends the lab and removes it from this machine; only the cached base image and packages stay. */
export async function down(options: LabOptions = {}): Promise<void> {
  await whileLocked(options, async ({ name, cgroups, report }) => {
    report('end the hosts');
    const state = await readState(name).catch(() => undefined);
    await dismantle(name, cgroups, state);
    if (state) await removeInventory(state.inventory);
    await rm(labPaths(name).directory, { recursive: true, force: true });
    report('nothing is left');
  });
}

/** The lab, if it was brought up; else a `UserError`. */
export async function openLab(name: string = DEFAULT_LAB): Promise<Lab> {
  const cgroups = await prepareMachine(() => {});
  return labOf(await requireState(checkLabName(name)), cgroups);
}

interface Locked {
  readonly name: string;
  readonly cgroups: string;
  readonly report: (step: string) => void;
}

async function whileLocked<T>(options: LabOptions, work: (locked: Locked) => Promise<T>): Promise<T> {
  const name = checkLabName(options.name ?? DEFAULT_LAB);
  const report = options.report ?? (() => {});
  const cgroups = await prepareMachine(report);
  return withLock(`lab-${name}`, waiting(report), () => work({ name, cgroups, report }));
}

/** Looks at what was set up before anybody builds on it: a program that ends with 0 has not always done its work. */
async function lookAtAll(lab: Lab): Promise<void> {
  const faults = [...(await networkFaults(lab.names, lab.network))];
  const [first] = lab.hosts;
  if (faults.length === 0 && first !== undefined && !(await reachesPackageCache(lab, first.name)))
    faults.push(`${first.name} does not reach the package cache at ${lab.network.packageCache}`);
  if (faults.length === 0) return;
  const option = lab.lab === DEFAULT_LAB ? '' : ` --name ${lab.lab}`;
  throw new UserError({
    message: `the lab was set up, and is not as it should be: ${faults.join('; ')}`,
    hint: `make it anew: provision lab down${option}, then provision lab up${option}; what the package cache says is in ${labPaths(lab.lab).cacheLog}`,
  });
}

function waiting(report: (step: string) => void): (owner: string) => void {
  return (owner) => report(`wait for process ${owner}, which works on the lab`);
}

/** Ends every process of the lab and removes its networks. Its mounts die with its processes. */
async function dismantle(name: string, cgroups: string, state: LabState | undefined): Promise<void> {
  const names = labNames(name);
  await killGroup(join(cgroups, names.cgroup));
  const index = state?.index ?? (await indexOfLeftovers(names.operatorInterface));
  await removeNetwork(names, index === undefined ? undefined : labNetwork(index));
}

async function indexOfLeftovers(operatorInterface: string): Promise<number | undefined> {
  const shown = await system(['ip', '-brief', 'address', 'show', 'dev', operatorInterface]);
  const third = / 10\.83\.(\d+)\.1\//.exec(shown.stdout)?.[1];
  return third === undefined ? undefined : Number(third) / 2;
}

/** Chooses the base image: the one under the hosts' disks while it exists, else the current one. */
async function withBase(state: LabState, cgroups: string, report: (step: string) => void): Promise<LabState> {
  if (state.base !== undefined && (await hasBase(state.base))) {
    if (state.base !== baseVersion(state.debian))
      report('the hosts are of an older base image; reset gives them the new one');
    return state;
  }
  // Disks are layers over one image and make no sense over another.
  if (state.base !== undefined) await removeDisks(state.name);
  return withLock('base-image', waiting(report), async () => {
    const proxy = `http://${labNetwork(state.index).operator}:${PACKAGE_CACHE_PORT}`;
    const groupOf = (lab: string): string => join(cgroups, labNames(lab).cgroup, 'base-image');
    const labs = (await allStates()).map((each) => each.name);
    const groups = { own: groupOf(state.name), all: labs.map(groupOf) };
    const base = await ensureBase(state.debian, proxy, groups, report);
    const chosen = { ...state, base };
    await writeState(chosen);
    const inUse = (await allStates()).flatMap((each) => each.base ?? []);
    await removeOldBases(new Set(inUse));
    return chosen;
  });
}

/** Switches a host on unless it is; returns whether that was needed. */
async function bringUp(lab: Lab, host: HostSpec): Promise<boolean> {
  switch (await hostState(lab, host.name)) {
    case 'frozen':
      await setFrozen(join(hostGroup(lab, host.name), 'boot'), false);
      return false;
    case 'running':
    case 'starting':
      return false;
    case 'stopped':
      if (!(await hasDisk(lab.lab, host.name))) await makeDisk(lab.lab, host.name, lab.network);
      await startHost(lab, host);
      return true;
  }
}

async function removeDisks(name: string): Promise<void> {
  await rm(join(labPaths(name).directory, 'hosts'), { recursive: true, force: true });
}

function labOf(state: LabState, cgroups: string): Lab {
  return {
    lab: state.name,
    names: labNames(state.name),
    network: labNetwork(state.index),
    cgroups,
    base: basePath(state.base ?? baseVersion(state.debian)),
    inventory: state.inventory,
    debian: state.debian,
    hosts: labHosts(state.servers),
  };
}

async function requireState(name: string): Promise<LabState> {
  const state = await readState(name);
  if (!state) throw notUp(name);
  return state;
}

/** Disks of one release are layers over its image, and make no sense over another's. */
function otherDebian({ name, debian }: LabState): UserError {
  const option = name === DEFAULT_LAB ? '' : ` --name ${name}`;
  return new UserError({
    message: `the hosts of the lab "${name}" have Debian ${debian}`,
    hint: `provision lab down${option} ends it, and the next lab up makes it anew; or give another --name`,
  });
}

/** Its disk and its addresses would be gone with a host, which `up` never takes away. */
function fewerServers({ name, servers }: LabState): UserError {
  const option = name === DEFAULT_LAB ? '' : ` --name ${name}`;
  return new UserError({
    message: `the lab "${name}" has ${servers} servers`,
    hint: `provision lab down${option} ends it, and the next lab up makes it anew; or give another --name`,
  });
}

function notUp(name: string): UserError {
  const option = name === DEFAULT_LAB ? '' : ` --name ${name}`;
  return new UserError({ message: `the lab "${name}" is not up`, hint: `provision lab up${option}` });
}
