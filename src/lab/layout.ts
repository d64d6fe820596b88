import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { UserError } from '../lib/errors.ts';

/** What a host is for; it decides its inventory group and its networks. */
export type HostRole = 'balancer' | 'server' | 'spare';

/** One host of a lab. `number` is the last octet of its addresses. */
export interface HostSpec {
  readonly name: string;
  readonly role: HostRole;
  readonly number: number;
  /** The name of its MySQL instance, for servers. */
  readonly instance?: string;
}

/** How many servers a lab has when nobody asks for more. */
export const DEFAULT_SERVERS = 3;
/** Their addresses end in 21 to 29. */
export const MAX_SERVERS = 9;

const SPARE_NUMBER = 31;

/** All hosts of a lab with so many servers. */
export function labHosts(servers: number): readonly HostSpec[] {
  return [
    { name: 'lb1', role: 'balancer', number: 11 },
    { name: 'lb2', role: 'balancer', number: 12 },
    ...Array.from({ length: servers }, (_, index): HostSpec => {
      const place = index + 1;
      return { name: `web${place}`, role: 'server', number: 20 + place, instance: `db${place}` };
    }),
    { name: 'mon1', role: 'spare', number: SPARE_NUMBER },
  ];
}

/** A client of the site that is not the operator: a network namespace with an address on the front network. */
export const CLIENT = 'client';
/** This machine, as a peer in `isolate --from`. */
export const OPERATOR = 'operator';

export const LOGIN_USER = 'debian';
export const FRONT_INTERFACE = 'front0';
export const BACK_INTERFACE = 'back0';
export const PACKAGE_CACHE_PORT = 3142;
export const CACHE_DIRECTORY = '/var/cache/understudy';
export const STATE_DIRECTORY = '/var/lib/understudy/labs';
export const DEFAULT_LAB = 'lab';

/** How many labs fit beside each other: each takes two /24 networks of 10.83.0.0/16. */
export const MAX_LABS = 100;

/** The lab's host with this name; a `UserError` that lists the names when there is none. */
export function hostSpec(hosts: readonly HostSpec[], name: string): HostSpec {
  const host = hosts.find((candidate) => candidate.name === name);
  if (host) return host;
  throw new UserError({
    message: `no host "${name}" in the lab`,
    hint: `the hosts are ${hosts.map((each) => each.name).join(', ')}`,
  });
}

/** Checks a lab's name: it becomes part of an interface's name, which Linux limits to 15 characters. */
export function checkLabName(name: string): string {
  if (/^[a-z][a-z0-9-]{0,11}$/.test(name)) return name;
  throw new UserError({
    message: `"${name}" is no name for a lab`,
    hint: 'use up to 12 lower-case letters, digits and dashes, beginning with a letter',
  });
}

/** All addresses of one lab. */
export interface LabNetwork {
  readonly frontNetwork: string;
  /** The same network has IPv6, too, where the kernel knows it. */
  readonly frontNetwork6: string;
  readonly backNetwork: string;
  /** This machine, on the front network. */
  readonly operator: string;
  /** The namespace that holds the bridges, on the front network; the balancers' default gateway, which rejects. */
  readonly frontGateway: string;
  /** The same on the back network; it hands connections to the package cache on, and rejects everything else. */
  readonly backGateway: string;
  readonly client: string;
  readonly client6: string;
  readonly vip: string;
  readonly vip2: string;
  readonly vip6: string;
  readonly vip2_6: string;
  readonly packageCache: string;
}

/** The addresses of the lab with this index. */
export function labNetwork(index: number): LabNetwork {
  const front = `10.83.${2 * index}`;
  const back = `10.83.${2 * index + 1}`;
  const front6 = `fd83:${2 * index}:`;
  return {
    frontNetwork: `${front}.0/24`,
    frontNetwork6: `${front6}:/64`,
    backNetwork: `${back}.0/24`,
    operator: `${front}.1`,
    frontGateway: `${front}.254`,
    backGateway: `${back}.1`,
    client: `${front}.200`,
    client6: `${front6}:200`,
    vip: `${front}.100`,
    vip2: `${front}.101`,
    vip6: `${front6}:100`,
    vip2_6: `${front6}:101`,
    packageCache: `http://${back}.1:${PACKAGE_CACHE_PORT}`,
  };
}

/** A host's address on the front network; only balancers have one. */
export function frontAddress(network: LabNetwork, host: HostSpec): string | undefined {
  return host.role === 'balancer' ? withNumber(network.frontNetwork, host.number) : undefined;
}

/** Its IPv6 address there, which ends with the same digits. */
export function frontAddress6(network: LabNetwork, host: HostSpec): string | undefined {
  return host.role === 'balancer' ? network.frontNetwork6.replace('/64', String(host.number)) : undefined;
}

/** A host's address on the back network. */
export function backAddress(network: LabNetwork, host: HostSpec): string {
  return withNumber(network.backNetwork, host.number);
}

/** The address of the spare host. */
export function spareAddress(network: LabNetwork): string {
  return withNumber(network.backNetwork, SPARE_NUMBER);
}

/** Where SSH and Ansible connect to: balancers on the front network, the others behind them. */
export function sshAddress(network: LabNetwork, host: HostSpec): string {
  return frontAddress(network, host) ?? backAddress(network, host);
}

/** A stable, locally administered MAC address, so that a restarted host is the same neighbour as before. */
export function macAddress(lab: string, host: string, side: 'front' | 'back'): string {
  const digest = createHash('sha256').update(`${lab}/${host}/${side}`).digest();
  return ['02', ...[...digest.subarray(0, 5)].map((byte) => byte.toString(16).padStart(2, '0'))].join(':');
}

/** The names by which the kernel knows one lab. */
export interface LabNames {
  /** The network namespace with the bridges. */
  readonly namespace: string;
  readonly clientNamespace: string;
  /** This machine's interface on the front network. */
  readonly operatorInterface: string;
  /** The control group of all processes of the lab, below the cgroup v2 mount. */
  readonly cgroup: string;
}

export function labNames(name: string): LabNames {
  return {
    namespace: `understudy-${name}`,
    clientNamespace: `understudy-${name}-${CLIENT}`,
    operatorInterface: `us-${name}`,
    cgroup: `understudy-lab-${name}`,
  };
}

/** The bridge port of a host, the client or the operator, as it is named in the lab's namespace. */
export function portName(owner: string, side: 'front' | 'back'): string {
  return `${owner}-${side === 'front' ? 'f' : 'b'}`;
}

/** Where one host keeps its disk and log. */
export interface HostPaths {
  readonly directory: string;
  /** The host's own writes, over the base image. */
  readonly upper: string;
  readonly work: string;
  /** Where both are mounted, visible to the host's own processes only. */
  readonly root: string;
  readonly console: string;
}

export interface LabPaths {
  readonly directory: string;
  readonly state: string;
  readonly keys: string;
  readonly cacheLog: string;
}

export function labPaths(name: string): LabPaths {
  const directory = join(STATE_DIRECTORY, name);
  return {
    directory,
    state: join(directory, 'lab.json'),
    keys: join(directory, 'keys'),
    cacheLog: join(directory, 'package-cache.log'),
  };
}

export function hostPaths(lab: string, host: string): HostPaths {
  const directory = join(STATE_DIRECTORY, lab, 'hosts', host);
  return {
    directory,
    upper: join(directory, 'upper'),
    work: join(directory, 'work'),
    root: join(directory, 'root'),
    console: join(directory, 'console.log'),
  };
}

function withNumber(network: string, number: number): string {
  return network.replace(/0\/24$/, String(number));
}
