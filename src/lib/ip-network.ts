import { isIP } from 'node:net';

/** An address or network, so that equal ones compare equal however they are written. */
export interface IpNetwork {
  readonly family: 4 | 6;
  /** The address of the network: bits beyond the prefix are zero. */
  readonly address: bigint;
  readonly prefix: number;
}

/** Reads `10.0.0.7/24`, `10.0.0.7/255.255.255.0`, `2001:db8::/32` or an address alone; undefined is none of these. */
export function parseIpNetwork(text: string): IpNetwork | undefined {
  const [host = '', mask, ...more] = text.split('/');
  const family = isIP(host);
  if ((family !== 4 && family !== 6) || more.length > 0 || host.includes('%')) return undefined;
  const bits = family === 4 ? 32 : 128;
  const prefix = mask === undefined ? bits : prefixLength(mask, family);
  if (prefix === undefined || prefix > bits) return undefined;
  const value = family === 4 ? numberOf4(host) : numberOf6(host);
  const hostBits = BigInt(bits - prefix);
  return { family, address: (value >> hostBits) << hostBits, prefix };
}

/** One text for all ways to write the same address or network; other text as it is, in small letters. */
export function canonicalIp(text: string): string {
  const network = parseIpNetwork(text);
  return network ? `${network.family}:${network.address.toString(16)}/${network.prefix}` : text.toLowerCase();
}

function prefixLength(mask: string, family: 4 | 6): number | undefined {
  if (/^\d{1,3}$/.test(mask)) return Number(mask);
  if (family !== 4 || isIP(mask) !== 4) return undefined;
  const digits = numberOf4(mask).toString(2).padStart(32, '0');
  // A mask with a hole is no prefix.
  return /^1*0*$/.test(digits) ? digits.replaceAll('0', '').length : undefined;
}

function numberOf4(text: string): bigint {
  return text.split('.').reduce((sum, part) => sum * 256n + BigInt(Number(part)), 0n);
}

function numberOf6(text: string): bigint {
  // The last 32 bits may be written as an IPv4 address.
  const plain = text.replace(/(?:\d+\.){3}\d+$/, (four) => {
    const digits = numberOf4(four).toString(16).padStart(8, '0');
    return `${digits.slice(0, 4)}:${digits.slice(4)}`;
  });
  const [before = '', after] = plain.split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const [left, right] = [groups(before), groups(after ?? '')];
  const zeros = after === undefined ? [] : Array.from({ length: 8 - left.length - right.length }, () => '0');
  return [...left, ...zeros, ...right].reduce((sum, part) => sum * 65536n + BigInt(`0x${part}`), 0n);
}

/** The eight groups of an IPv6 address, none left out. */
export function ipv6Text(address: bigint): string {
  const digits = address.toString(16).padStart(32, '0');
  return (digits.match(/.{4}/g) ?? []).map((group) => Number.parseInt(group, 16).toString(16)).join(':');
}
