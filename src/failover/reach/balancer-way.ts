import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os';
import type { Duplex } from 'node:stream';

import type { Dial } from '../../lib/dial.ts';
import { canonicalIp } from '../../lib/ip-network.ts';
import type { BalancerSpec } from '../cluster/cluster.ts';
import { addressHolder } from './address-holder.ts';
import { agentRuntimeApi, agentVerbs } from './machine-agent.ts';

/** What a daemon on a balancer can ask a balancer: itself directly, and another one by the key of failover_agent. */
export interface BalancerWay {
  readonly isHere: boolean;
  /** Opens a connection to HAProxy's runtime API. */
  readonly open: () => Promise<Duplex>;
  /** Whether it has the address on this interface, where others reach it: all balancers have it on their loopback. */
  readonly holds: (address: string, device: string) => Promise<boolean>;
}

export interface BalancerWayOptions {
  readonly dial: Dial;
  /** The key of the role failover_agent. */
  readonly key: string;
  /** Private to the caller: the sockets of shared SSH connections. */
  readonly controlDirectory: string | undefined;
}

/** An SSH login on a machine that is busy. */
const LOGIN_MS = 4000;

export function balancerWay(
  { name, address, apiPort }: BalancerSpec,
  { dial, key, controlDirectory }: BalancerWayOptions,
): BalancerWay {
  if (isOurs(address)) {
    return {
      isHere: true,
      open: async () => await dial('127.0.0.1', apiPort),
      holds: async (wanted) => isOnInterface(wanted),
    };
  }
  return {
    isHere: false,
    open: agentRuntimeApi({ host: name, address, key, controlDirectory }),
    holds: async (wanted, device) =>
      await addressHolder({
        host: name,
        // The length of the prefix does not matter to who only looks.
        address: `${wanted}/${wanted.includes(':') ? 128 : 32}`,
        interface: device,
        run: agentVerbs({ host: name, address, key }),
        timeoutMs: LOGIN_MS,
      }).holds(),
  };
}

function isOurs(address: string): boolean {
  const wanted = canonicalIp(address);
  return Object.values(networkInterfaces()).some((all) =>
    (all ?? []).some((one) => canonicalIp(one.address) === wanted),
  );
}

/** Has this machine the address on an interface that others reach? */
export function isOnInterface(
  address: string,
  interfaces: Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>> = networkInterfaces(),
): boolean {
  const wanted = canonicalIp(address);
  return Object.values(interfaces).some((all) =>
    (all ?? []).some((one) => !one.internal && canonicalIp(one.address) === wanted),
  );
}
