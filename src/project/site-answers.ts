import { BlockList, isIPv4 } from 'node:net';

import type { Problem } from '../lib/errors.ts';

/** A load balancer: it has an address on either network. */
export interface Balancer {
  readonly name: string;
  readonly front: string;
  readonly back: string;
}

/** A server of the site, reached through the balancers only. */
export interface Server {
  readonly name: string;
  readonly back: string;
}

/** All that an inventory of the site says of its machines. */
export interface SiteAnswers {
  /** Who logs in by SSH. */
  readonly user: string;
  /** The floating address that DNS names. */
  readonly vip: string;
  /** A second one, for two balancers that both serve. */
  readonly vip2?: string | undefined;
  /** Addresses and networks that reach SSH on the balancers. */
  readonly operator: readonly string[];
  readonly balancers: readonly Balancer[];
  readonly servers: readonly Server[];
  readonly frontNetwork: string;
  readonly backNetwork: string;
  readonly frontInterface: string;
  readonly backInterface: string;
  readonly serverInterface: string;
}

const NAME = /^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** `lb1=203.0.113.11,10.20.0.11`; undefined for anything else. */
export function parseBalancer(text: string): Balancer | undefined {
  const [, name, front, back] = /^([^=,]+)=([^=,]+),([^=,]+)$/.exec(text) ?? [];
  return name === undefined || front === undefined || back === undefined ? undefined : { name, front, back };
}

/** `web1=10.20.0.21`; undefined for anything else. */
export function parseServer(text: string): Server | undefined {
  const [, name, back] = /^([^=,]+)=([^=,]+)$/.exec(text) ?? [];
  return name === undefined || back === undefined ? undefined : { name, back };
}

export function addressProblem(text: string): string | undefined {
  return isIPv4(text) ? undefined : `"${text}" is no IPv4 address`;
}

export function networkProblem(text: string): string | undefined {
  return parseNetwork(text) === undefined ? `"${text}" is no IPv4 network like 10.20.0.0/24` : undefined;
}

/** Where an operator comes from: an address or a network. */
export function originProblem(text: string): string | undefined {
  return text.includes('/') ? networkProblem(text) : addressProblem(text);
}

export function interfaceProblem(text: string): string | undefined {
  return /^[^\s/]{1,15}$/.test(text) ? undefined : `"${text}" is no name of a network interface`;
}

export function userProblem(text: string): string | undefined {
  return /^[A-Za-z_][\w.-]*\$?$/.test(text) ? undefined : `"${text}" is no name of a user`;
}

/** The network of 256 addresses around one: what to propose. */
export function networkAround(address: string): string | undefined {
  return isIPv4(address) ? address.replace(/\d+$/, '0/24') : undefined;
}

/** All that is wrong with the answers. */
export function answerProblems(answers: SiteAnswers): readonly Problem[] {
  const problems: (string | undefined)[] = [
    userProblem(answers.user),
    ...answers.operator.map(originProblem),
    ...[answers.frontInterface, answers.backInterface, answers.serverInterface].map(interfaceProblem),
    networkProblem(answers.frontNetwork),
    networkProblem(answers.backNetwork),
    ...(answers.operator.length === 0
      ? ['nobody could reach the balancers by SSH: where do you come from?']
      : []),
    ...(answers.balancers.length === 0 ? ['a site needs a balancer'] : []),
    ...(answers.servers.length === 0 ? ['a site needs a server'] : []),
  ];
  const front: readonly (readonly [string, string])[] = [
    ['vip', answers.vip],
    ...(answers.vip2 === undefined ? [] : [['vip2', answers.vip2] as const]),
    ...answers.balancers.map((host) => [host.name, host.front] as const),
  ];
  const back = [...answers.balancers, ...answers.servers].map((host) => [host.name, host.back] as const);
  for (const [addresses, network, side] of [
    [front, answers.frontNetwork, 'front'],
    [back, answers.backNetwork, 'back'],
  ] as const) {
    for (const [name, address] of addresses)
      problems.push(addressProblem(address) ?? outside(name, address, network, side));
  }
  problems.push(
    ...[...answers.balancers, ...answers.servers].map(({ name }) =>
      NAME.test(name) ? undefined : `"${name}" is no name of a host: lower case letters, digits and hyphens`,
    ),
    ...twice([...answers.balancers, ...answers.servers].map(({ name }) => ['a host', name])),
    ...twice([...front, ...back]),
  );
  return [...new Set(problems)].flatMap((message) => (message === undefined ? [] : [{ message }]));
}

function outside(name: string, address: string, network: string, side: string): string | undefined {
  const parsed = parseNetwork(network);
  if (parsed === undefined) return undefined;
  const list = new BlockList();
  list.addSubnet(parsed.address, parsed.prefix);
  return list.check(address) ? undefined : `${name}: ${address} is not in the ${side} network ${network}`;
}

/** What more than one has, each said once. */
function twice(owned: readonly (readonly [owner: string, value: string])[]): readonly string[] {
  const owners = new Map<string, string[]>();
  for (const [owner, value] of owned) owners.set(value, [...(owners.get(value) ?? []), owner]);
  return [...owners]
    .filter(([, names]) => names.length > 1)
    .map(([value, names]) => `${value} is given to ${names.join(' and ')}`);
}

function parseNetwork(text: string): { address: string; prefix: number } | undefined {
  const [, address = '', bits = ''] = /^([\d.]+)\/(\d{1,2})$/.exec(text) ?? [];
  const prefix = Number(bits);
  return isIPv4(address) && prefix >= 1 && prefix <= 32 ? { address, prefix } : undefined;
}
