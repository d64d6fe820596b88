import { rm } from 'node:fs/promises';
import { systemOutput, system } from './system.ts';
import { type Cut, cutsIn, faultRules } from './isolation.ts';
import {
  CLIENT,
  type LabNames,
  type LabNetwork,
  OPERATOR,
  PACKAGE_CACHE_PORT,
  portName,
  spareAddress,
} from './layout.ts';

/*
 * Everything of a lab's network lives in a network namespace of its own: both bridges, the firewall and the address
 * translation. This machine has one interface on the front bridge and no way to the back one; removing the
 * namespace removes all of it.
 */

/** The path of a named network namespace. */
export function namespacePath(name: string): string {
  return `/run/netns/${name}`;
}

/** A command line that runs `argv` in a network namespace. */
export function inNamespace(name: string, argv: readonly string[]): readonly string[] {
  return ['nsenter', `--net=${namespacePath(name)}`, '--', ...argv];
}

/** What the kernel says of a lab's network, as the texts of `ip`, `nft` and `sysctl`. */
export interface NetworkLook {
  /** The addresses in the lab's namespace; undefined where there is none. */
  readonly inside: string | undefined;
  readonly client: string;
  readonly operator: string;
  readonly route: string;
  readonly rules: string;
  readonly forwarding: string;
}

/** Whether the network is there and complete. A namespace's file without a namespace (after a reboot) does not count. */
export async function networkIsUp(names: LabNames, network: LabNetwork): Promise<boolean> {
  return (await networkFaults(names, network)).length === 0;
}

/** What is missing of the network, in words. */
export async function networkFaults(names: LabNames, network: LabNetwork): Promise<readonly string[]> {
  return faultsIn(await look(names, network), names, network);
}

async function look(names: LabNames, network: LabNetwork): Promise<NetworkLook> {
  const said = async (argv: readonly string[]): Promise<string> => (await system(argv)).stdout;
  const addresses = ['ip', '-brief', 'address'];
  const inside = await system(inNamespace(names.namespace, addresses));
  const [client, operator, route, rules, forwarding] = await Promise.all([
    said(inNamespace(names.clientNamespace, addresses)),
    said([...addresses, 'show', 'dev', names.operatorInterface]),
    said(['ip', 'route', 'show', 'type', 'unreachable', network.backNetwork]),
    said(inNamespace(names.namespace, ['nft', 'list', 'table', 'ip', 'understudy'])),
    said(inNamespace(names.namespace, ['sysctl', '-n', 'net.ipv4.ip_forward'])),
  ]);
  return {
    inside: inside.status === 0 ? inside.stdout : undefined,
    client,
    operator,
    route,
    rules,
    forwarding,
  };
}

/** What is missing of a network that was looked at. */
export function faultsIn(found: NetworkLook, names: LabNames, network: LabNetwork): readonly string[] {
  const { inside } = found;
  if (inside === undefined) return [`there is no network namespace ${names.namespace}`];
  const faults: string[] = [];
  const expect = (text: string, part: string, otherwise: string): void => {
    if (!text.includes(part)) faults.push(otherwise);
  };
  for (const gateway of [network.frontGateway, network.backGateway])
    expect(inside, `${gateway}/`, `the lab's namespace lacks the address ${gateway}`);
  expect(inside, portName(OPERATOR, 'front'), 'this machine is not plugged into the front network');
  expect(found.client, `${network.client}/`, `the client lacks its address ${network.client}`);
  expect(
    found.operator,
    `${network.operator}/`,
    `${names.operatorInterface} lacks the address ${network.operator}`,
  );
  if (found.route.trim() === '') faults.push(`${network.backNetwork} is not closed to this machine`);
  for (const part of [`dnat to ${network.operator}:${PACKAGE_CACHE_PORT}`, 'masquerade', 'policy drop'])
    expect(found.rules, part, `the firewall of the lab's namespace lacks its rule "${part}"`);
  if (found.forwarding.trim() !== '1') faults.push("the lab's namespace forwards no packets");
  return faults;
}

/** Builds the network of a lab that has none. */
export async function createNetwork(names: LabNames, network: LabNetwork): Promise<void> {
  await systemOutput(['ip', 'netns', 'add', names.namespace]);
  await systemOutput(['ip', 'netns', 'add', names.clientNamespace]);
  const [operatorPort, clientPort] = [portName(OPERATOR, 'front'), portName(CLIENT, 'front')];
  await systemOutput(['ip', '-n', names.namespace, '-batch', '-'], {
    input: lines(
      'link set lo up',
      ...['front', 'back'].flatMap((bridge) => [
        `link add ${bridge} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
        `link set ${bridge} up`,
      ]),
      `address add ${network.frontGateway}/24 dev front`,
      `address add ${network.backGateway}/24 dev back`,
      `link add ${clientPort} type veth peer name eth0 netns ${names.clientNamespace}`,
      `link set ${clientPort} master front up`,
    ),
  });
  await systemOutput(['ip', '-n', names.clientNamespace, '-batch', '-'], {
    input: lines('link set lo up', 'link set eth0 up', `address add ${network.client}/24 dev eth0`),
  });
  // A kernel may have no IPv6.
  await system([
    'ip',
    '-n',
    names.clientNamespace,
    'address',
    'add',
    `${network.client6}/64`,
    'dev',
    'eth0',
    'nodad',
  ]);
  await systemOutput(['ip', '-batch', '-'], {
    input: lines(
      `link add ${names.operatorInterface} type veth peer name ${operatorPort} netns ${names.namespace}`,
      `link set ${names.operatorInterface} up`,
      `address add ${network.operator}/24 dev ${names.operatorInterface}`,
      // Without it, packets for the back network would leave this machine by its default route.
      `route add unreachable ${network.backNetwork}`,
    ),
  });
  await systemOutput(['ip', '-n', names.namespace, 'link', 'set', operatorPort, 'master', 'front', 'up']);
  await systemOutput(inNamespace(names.namespace, ['sysctl', '-q', '-w', 'net.ipv4.ip_forward=1']));
  await applyRules(names, gatewayRules(network));
  // Bridged packets are the hosts' own business: they pass no firewall of this namespace. Absent where not built in.
  const filters = ['ip', 'ip6', 'arp'].map((family) => `net.bridge.bridge-nf-call-${family}tables=0`);
  await system(inNamespace(names.namespace, ['sysctl', '-q', '-w', ...filters]));
}

/** Removes all of it, also what a crashed run left half done. */
export async function removeNetwork(names: LabNames, network: LabNetwork | undefined): Promise<void> {
  await system(['ip', 'link', 'delete', names.operatorInterface]);
  if (network) await system(['ip', 'route', 'delete', 'unreachable', network.backNetwork]);
  for (const name of [names.clientNamespace, names.namespace]) {
    // Named links die with their namespace, but later: the kernel cleans up in the background.
    await system(['ip', '-n', name, 'link', 'delete', portName(CLIENT, 'front')]);
    await system(['ip', 'netns', 'delete', name]);
    await rm(namespacePath(name), { force: true });
  }
}

/**
 * The rules of the lab's namespace: a way to the package cache on this machine for all, a visitor's way to the site for the
 * spare host, which may watch it, and no other.
 */
export function gatewayRules(network: LabNetwork): string {
  const cache = `ip daddr ${network.backGateway} tcp dport ${PACKAGE_CACHE_PORT}`;
  const visit = `ip saddr ${spareAddress(network)} ip daddr { ${network.vip}, ${network.vip2} }`;
  return lines(
    'table ip understudy {',
    '  chain prerouting {',
    '    type nat hook prerouting priority dstnat; policy accept;',
    `    ${cache} dnat to ${network.operator}:${PACKAGE_CACHE_PORT}`,
    '  }',
    '  chain postrouting {',
    '    type nat hook postrouting priority srcnat; policy accept;',
    '    ct status dnat masquerade',
    `    ${visit} masquerade`,
    '  }',
    '  chain forward {',
    '    type filter hook forward priority filter; policy drop;',
    '    ct state established,related accept',
    '    ct status dnat accept',
    `    ${visit} tcp dport { 80, 443 } accept`,
    '    reject with icmp type admin-prohibited',
    '  }',
    '}',
  );
}

/** The cuts that are in force. */
export async function readCuts(names: LabNames): Promise<readonly Cut[]> {
  const ruleset = await system(inNamespace(names.namespace, ['nft', 'list', 'ruleset', 'bridge']));
  return ruleset.status === 0 ? cutsIn(ruleset.stdout) : [];
}

/** Replaces the cuts that are in force by others, in one step. */
export async function writeCuts(names: LabNames, cuts: readonly Cut[]): Promise<void> {
  await applyRules(names, faultRules(cuts));
}

/** Takes the cable out of a host: nothing it sends while it dies gets anywhere. */
export async function unplug(names: LabNames, host: string): Promise<void> {
  for (const side of ['front', 'back'] as const) {
    await system(['ip', '-n', names.namespace, 'link', 'delete', portName(host, side)]);
  }
}

async function applyRules(names: LabNames, rules: string): Promise<void> {
  await systemOutput(inNamespace(names.namespace, ['nft', rules]));
}

function lines(...list: readonly string[]): string {
  return `${list.join('\n')}\n`;
}
