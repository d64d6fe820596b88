import { rm } from 'node:fs/promises';
import { systemOutput, system } from './system.ts';
import { type Cut, cutsIn, faultRules } from './isolation.ts';
import { CLIENT, type LabNames, type LabNetwork, OPERATOR, PACKAGE_CACHE_PORT, portName } from './layout.ts';

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

/** Whether the network is there and complete. A namespace's file without a namespace (after a reboot) does not count. */
export async function networkIsUp(names: LabNames, network: LabNetwork): Promise<boolean> {
  const inside = await system(inNamespace(names.namespace, ['ip', '-brief', 'address']));
  if (inside.status !== 0) return false;
  const client = await system(inNamespace(names.clientNamespace, ['ip', '-brief', 'address']));
  const operator = await system(['ip', '-brief', 'address', 'show', 'dev', names.operatorInterface]);
  const route = await system(['ip', 'route', 'show', 'type', 'unreachable', network.backNetwork]);
  const rules = await system(inNamespace(names.namespace, ['nft', 'list', 'table', 'ip', 'understudy']));
  return (
    inside.stdout.includes(`${network.frontGateway}/`) &&
    inside.stdout.includes(`${network.backGateway}/`) &&
    inside.stdout.includes(portName(OPERATOR, 'front')) &&
    client.stdout.includes(`${network.client}/`) &&
    operator.stdout.includes(`${network.operator}/`) &&
    route.stdout.trim() !== '' &&
    rules.stdout.includes('dnat')
  );
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

/** The rules of the lab's namespace: a way to the package cache on this machine, and to nowhere else. */
export function gatewayRules(network: LabNetwork): string {
  const cache = `ip daddr ${network.backGateway} tcp dport ${PACKAGE_CACHE_PORT}`;
  return lines(
    'table ip understudy {',
    '  chain prerouting {',
    '    type nat hook prerouting priority dstnat; policy accept;',
    `    ${cache} dnat to ${network.operator}:${PACKAGE_CACHE_PORT}`,
    '  }',
    '  chain postrouting {',
    '    type nat hook postrouting priority srcnat; policy accept;',
    '    ct status dnat masquerade',
    '  }',
    '  chain forward {',
    '    type filter hook forward priority filter; policy drop;',
    '    ct state established,related accept',
    '    ct status dnat accept',
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
