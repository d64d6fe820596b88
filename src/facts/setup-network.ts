import type { SetupFacts, Sections } from './setup-facts.ts';

interface Interface {
  readonly device: string;
  readonly active: boolean;
  readonly type: string;
  readonly macaddress?: string | undefined;
  readonly mtu: number;
  readonly promisc: boolean;
  readonly speed?: number | undefined;
  readonly interfaces?: readonly string[] | undefined;
  readonly ipv4?: Ipv4 | undefined;
  readonly ipv4_secondaries?: readonly Ipv4[] | undefined;
  readonly ipv6?: readonly Ipv6[] | undefined;
}

interface Ipv4 {
  readonly address: string;
  readonly broadcast: string;
  readonly netmask: string;
  readonly network: string;
  readonly prefix: string;
}

interface Ipv6 {
  readonly address: string;
  readonly prefix: string;
  readonly scope: string;
}

/** Interfaces, their addresses, and the way out. */
export function parseNetwork(sections: Sections): SetupFacts {
  const interfaces = [...sections.keys()]
    .filter((name) => name.startsWith('net '))
    .map((name) => parseInterface(name.slice(4), sections));
  const ipv4 = interfaces.flatMap((item) => [
    ...(item.ipv4 ? [item.ipv4] : []),
    ...(item.ipv4_secondaries ?? []),
  ]);
  const ipv6 = interfaces.flatMap((item) => item.ipv6 ?? []);
  const named = Object.fromEntries(
    interfaces.map((item) => [
      item.device.replaceAll(/[-:]/g, '_'),
      Object.fromEntries(Object.entries(item).filter((entry) => entry[1] !== undefined)),
    ]),
  );
  return {
    interfaces: interfaces.map((item) => item.device),
    ...named,
    all_ipv4_addresses: ipv4.map((item) => item.address).filter((address) => !address.startsWith('127.')),
    all_ipv6_addresses: ipv6.map((item) => item.address).filter((address) => address !== '::1'),
    default_ipv4: defaultIpv4(sections.get('route4') ?? '', interfaces),
    default_ipv6: defaultIpv6(sections.get('route6') ?? '', interfaces),
    dns: resolver(sections.get('/etc/resolv.conf') ?? ''),
  };
}

function parseInterface(device: string, sections: Sections): Interface {
  const [address = '', mtu, state, kind, speed, bits, special = '', members = ''] = (
    sections.get(`net ${device}`) ?? ''
  ).split('\n');
  const lines = (sections.get('addresses') ?? '')
    .split('\n')
    .map((line) => line.split(/\s+/))
    .filter((words) => words[1]?.split('@')[0] === device);
  const link = (sections.get('links') ?? '')
    .split('\n')
    .find((line) => line.split(/:\s+/)[1]?.split('@')[0] === device);
  const flags = /<([^>]*)>/.exec(link ?? '')?.[1]?.split(',') ?? [];
  const ipv4 = lines.filter((words) => words[2] === 'inet').map(parseIpv4);
  const ipv6 = lines.filter((words) => words[2] === 'inet6').map(parseIpv6);
  const isLoopback = kind === '772';
  return {
    device,
    active: isLoopback || state === 'up' || (state === 'unknown' && flags.includes('UP')),
    type:
      special ||
      (isLoopback ? 'loopback' : kind === '1' ? 'ether' : kind === '32' ? 'infiniband' : 'unknown'),
    ...(isLoopback || address === '' ? {} : { macaddress: address }),
    mtu: Number(mtu),
    promisc: (Number(bits) & 0x100) !== 0,
    ...(speed && Number(speed) > 0 ? { speed: Number(speed) } : {}),
    ...(special === 'bridge' ? { interfaces: members.trim().split(' ').filter(Boolean) } : {}),
    ...(ipv4.length > 0 ? { ipv4: ipv4[0] } : {}),
    ...(ipv4.length > 1 ? { ipv4_secondaries: ipv4.slice(1) } : {}),
    ...(ipv6.length > 0 ? { ipv6 } : {}),
  };
}

function after(words: readonly string[], name: string): string | undefined {
  const at = words.indexOf(name);
  return at < 0 ? undefined : words[at + 1];
}

function parseIpv4(words: readonly string[]): Ipv4 {
  const [address = '', prefix = '32'] = words[3]?.split('/') ?? [];
  const mask = prefix === '0' ? 0 : (~0 << (32 - Number(prefix))) >>> 0;
  const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  return {
    address,
    broadcast: after(words, 'brd') ?? '',
    netmask: dotted(mask),
    network: dotted((number & mask) >>> 0),
    prefix,
  };
}

function dotted(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
}

function parseIpv6(words: readonly string[]): Ipv6 {
  const [address = '', prefix = '128'] = words[3]?.split('/') ?? [];
  return { address, prefix, scope: after(words, 'scope') ?? 'global' };
}

function defaultIpv4(route: string, interfaces: readonly Interface[]): SetupFacts {
  const words = route.split('\n')[0]?.split(/\s+/) ?? [];
  const device = interfaces.find((item) => item.device === after(words, 'dev'));
  if (!device?.ipv4) return {};
  const source = after(words, 'src');
  const address = [device.ipv4, ...(device.ipv4_secondaries ?? [])].find((item) => item.address === source);
  return {
    gateway: after(words, 'via'),
    interface: device.device,
    ...(address ?? device.ipv4),
    macaddress: device.macaddress,
    mtu: device.mtu,
    type: device.type,
    alias: device.device,
  };
}

function defaultIpv6(route: string, interfaces: readonly Interface[]): SetupFacts {
  const words = route.split('\n')[0]?.split(/\s+/) ?? [];
  const device = interfaces.find((item) => item.device === after(words, 'dev'));
  const address = device?.ipv6?.find((item) => item.scope === 'global');
  if (!device || !address) return {};
  return {
    gateway: after(words, 'via'),
    interface: device.device,
    ...address,
    macaddress: device.macaddress,
    mtu: device.mtu,
    type: device.type,
  };
}

function resolver(text: string): SetupFacts {
  const result: {
    nameservers?: string[];
    domain?: string;
    search?: string[];
    options?: Record<string, unknown>;
  } = {};
  for (const line of text.split('\n')) {
    const [word, ...rest] = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/);
    if (word === 'nameserver' && rest[0] !== undefined) (result.nameservers ??= []).push(rest[0]);
    else if (word === 'domain' && rest[0] !== undefined) result.domain = rest[0];
    else if (word === 'search') result.search = rest;
    else if (word === 'options') {
      result.options = Object.fromEntries(
        rest.map((option) => [option.split(':')[0] ?? option, option.split(':')[1] ?? true]),
      );
    }
  }
  return result;
}
