import { isIPv6 } from 'node:net';

import { canonicalIp } from '../../lib/ip-network.ts';
import type { Answer } from './answers.ts';
import type { SiteDns } from './spec.ts';

// An address that no balancer holds leaves the site's names, and comes back. Pure. What always holds:
//
// - No name loses its last address of a family, nor one while no other one is held: an address that may work is better
//   than none, which resolvers would keep in mind for as long as the zone says.
// - An update is for exactly the addresses that were read (RFC 2136's prerequisites): of two actors who differ, the second
//   is refused by the name server, and looks again.
// - Nothing is changed before an address has been away, or back, without a break for its time. Moving it takes a second.

/** How long an address must be held again until names lead to it. */
export const RETURN_MS = 60_000;
/** After a pause between two looks that is longer than this, nobody knows what was meanwhile. */
const GAP_MS = 20_000;

/** Since when each address has been held, or not; by monotonic milliseconds. One that nobody knows about is missing. */
export interface Sightings {
  readonly at: number;
  readonly of: ReadonlyMap<string, { readonly held: boolean; readonly since: number }>;
}

export function nextSightings(
  before: Sightings | undefined,
  seen: ReadonlyMap<string, boolean>,
  now: number,
): Sightings {
  const known = before !== undefined && now - before.at <= GAP_MS ? before.of : undefined;
  return {
    at: now,
    of: new Map(
      [...seen].map(([address, held]) => {
        const earlier = known?.get(address);
        return [address, { held, since: earlier?.held === held ? earlier.since : now }];
      }),
    ),
  };
}

/** Whether the address has been away for so long that no name shall lead to it. */
export function isAway(dns: SiteDns, { at, of }: Sightings, address: string): boolean {
  const sighting = of.get(address);
  const { withdraw_after: seconds } = dns;
  return sighting?.held === false && seconds !== undefined && at - sighting.since >= seconds * 1000;
}

/** Whether it has been there for so long that they may lead to it again. */
export function isBack({ at, of }: Sightings, address: string): boolean {
  const sighting = of.get(address);
  return sighting?.held === true && at - sighting.since >= RETURN_MS;
}

/** One update: of a name, and of its addresses of one family. */
export interface NameChange {
  readonly name: string;
  readonly gone: readonly string[];
  readonly back: readonly string[];
  /** What nsupdate is told. */
  readonly lines: readonly string[];
}

/** What is to be changed in the records that the name server has. */
export function nameChanges(
  dns: SiteDns,
  sightings: Sightings,
  answers: readonly Answer[],
): readonly NameChange[] {
  return answers
    .filter(({ status }) => status === 'NOERROR')
    .flatMap((answer) => [true, false].flatMap((six) => familyChange(dns, sightings, answer, six) ?? []));
}

function familyChange(
  dns: SiteDns,
  sightings: Sightings,
  { name, addresses }: Answer,
  six: boolean,
): NameChange | undefined {
  const there = addresses.map(({ address }) => address).filter((address) => isIPv6(address) === six);
  const isThere = has(there);
  const ours = dns.addresses.filter((address) => isIPv6(address) === six);
  const away = ours.filter((address) => isThere(address) && isAway(dns, sightings, address));
  // A name without any address is for whoever says so in the inventory: `provision dns update`.
  const back = ours.filter((address) => there.length > 0 && !isThere(address) && isBack(sightings, address));
  const isHeldStill = ours.some((address) => isThere(address) && sightings.of.get(address)?.held === true);
  const gone = isHeldStill || back.length > 0 ? away : [];
  if (gone.length === 0 && back.length === 0) return undefined;
  const type = six ? 'AAAA' : 'A';
  return {
    name,
    gone,
    back,
    lines: [
      ...there.map((address) => `prereq yxrrset ${name}. ${type} ${address}`),
      ...gone.map((address) => `update delete ${name}. ${type} ${address}`),
      ...back.map((address) => `update add ${name}. ${dns.ttl} ${type} ${address}`),
    ],
  };
}

/** The names that lead to the address. */
export function namesLeadingTo(answers: readonly Answer[], address: string): readonly string[] {
  return answers
    .filter(({ addresses }) => has(addresses.map((one) => one.address))(address))
    .map(({ name }) => name);
}

function has(addresses: readonly string[]): (address: string) => boolean {
  const canonical = new Set(addresses.map(canonicalIp));
  return (address) => canonical.has(canonicalIp(address));
}
