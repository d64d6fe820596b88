import type { Opened } from '../transport/reopened.ts';
import { type AddressStatus, parseAddressStatus } from './address-status.ts';
import { type BalancerProgram, callProgram } from './balancer-program.ts';

/** One balancer, as far as the site's addresses are handed over. Every method may be repeated. */
export interface AddressBalancer {
  /** Its name in the inventory, by which the other balancers know it, too. */
  readonly name: string;
  addresses(): Promise<AddressStatus>;
  /** For so long, packets of connections that it does not know are passed to the peer; 0 ends that. */
  expect(peer: string, seconds: number): Promise<AddressStatus>;
  /** Gives its addresses to a balancer that works and does not yield itself, until `stay` or a reboot. */
  yieldAddresses(): Promise<AddressStatus>;
  stay(): Promise<AddressStatus>;
  /** Once it holds nothing: ends its clients' connections after what they have asked for, and waits for that. */
  finish(seconds: number, signal?: AbortSignal): Promise<AddressStatus>;
}

const PROGRAM: BalancerProgram = {
  path: '/usr/local/sbin/vip-handover',
  name: 'vip-handover',
  role: 'keepalived',
  units: ['vip-handover', 'keepalived'],
};
const TIMEOUT_MS = 10_000;
/** HAProxy's reload comes before the waiting. */
const RELOAD_MS = 60_000;

/** A balancer, reached as root: its role has put a program there that does the work. */
export function addressBalancer(name: string, open: () => Promise<Opened>): AddressBalancer {
  const run = async (
    argv: readonly string[],
    timeoutMs = TIMEOUT_MS,
    signal?: AbortSignal,
  ): Promise<AddressStatus> =>
    parseAddressStatus(name, await callProgram(name, open, PROGRAM, argv, { timeoutMs, signal }));
  return {
    name,
    addresses: async () => await run(['status']),
    expect: async (peer, seconds) => await run(['expect', peer, String(seconds)]),
    yieldAddresses: async () => await run(['yield']),
    stay: async () => await run(['stay']),
    finish: async (seconds, signal) =>
      await run(['finish', String(seconds)], seconds * 1000 + RELOAD_MS, signal),
  };
}
