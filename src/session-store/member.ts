/*
 * What a member of the store of sessions says of itself, as `session-store status` on its host prints it: INFO of Valkey, then
 * what its Sentinel knows, then whether the Sentinels could agree.
 */

/** A host that has a part of the store, and where the others reach it. */
export interface StoreHost {
  readonly host: string;
  readonly address: string;
}

/** A replica as its primary sees it. */
export interface Follower {
  readonly address: string;
  readonly online: boolean;
  /** Bytes that it lacks. */
  readonly behind: number;
  /** Since it last said how far it is, in seconds. */
  readonly lagSeconds: number;
}

/** A Valkey that answers. */
export interface StoreServer {
  readonly version: string;
  readonly role: 'primary' | 'replica';
  /** Of a replica: the primary that it follows, and whether the connection is up. */
  readonly follows: { readonly address: string; readonly isUp: boolean } | undefined;
  /** Of a primary. */
  readonly followers: readonly Follower[];
  readonly usedBytes: number;
  /** Zero: as much as there is. */
  readonly maxBytes: number;
}

/** A Sentinel that answers. */
export interface StoreSentinel {
  /** The address that it takes for the primary's. */
  readonly primary: string;
  readonly others: number;
  /** Whether enough of them answer each other to choose another primary. */
  readonly hasQuorum: boolean;
}

export interface StoreMember extends StoreHost {
  /** Why nothing of the host is known; undefined: it answered. */
  readonly silence: string | undefined;
  readonly server: StoreServer | undefined;
  readonly sentinel: StoreSentinel | undefined;
}

export function silentMember(host: string, address: string, silence: string): StoreMember {
  return { host, address, silence, server: undefined, sentinel: undefined };
}

/** Reads what a member printed. What is missing did not answer. */
export function readMember(host: string, address: string, text: string): StoreMember {
  const [server = '', sentinel = '', quorum = ''] = ['valkey', 'sentinel', 'quorum'].map((name) =>
    sectionOf(text, name),
  );
  return {
    host,
    address,
    silence: undefined,
    server: serverOf(fields(server)),
    sentinel: sentinelOf(fields(sentinel), quorum),
  };
}

function serverOf(said: ReadonlyMap<string, string>): StoreServer | undefined {
  const role = said.get('role');
  if (role !== 'master' && role !== 'slave') return undefined;
  const offset = Number(said.get('master_repl_offset'));
  return {
    version: said.get('valkey_version') ?? said.get('redis_version') ?? '',
    role: role === 'master' ? 'primary' : 'replica',
    follows:
      role === 'slave'
        ? { address: said.get('master_host') ?? '', isUp: said.get('master_link_status') === 'up' }
        : undefined,
    followers: [...said]
      .filter(([name]) => /^slave\d+$/.test(name))
      .map(([, value]) => followerOf(value, offset)),
    usedBytes: Number(said.get('used_memory') ?? 0),
    maxBytes: Number(said.get('maxmemory') ?? 0),
  };
}

/** `ip=10.0.0.2,port=6379,state=online,offset=42,lag=1` */
function followerOf(text: string, offset: number): Follower {
  const said = new Map(text.split(',').map((pair) => pair.split('=', 2) as [string, string]));
  return {
    address: said.get('ip') ?? '',
    online: said.get('state') === 'online',
    behind: Math.max(0, offset - Number(said.get('offset') ?? 0)),
    lagSeconds: Number(said.get('lag') ?? 0),
  };
}

function sentinelOf(said: ReadonlyMap<string, string>, quorum: string): StoreSentinel | undefined {
  const primary = said.get('ip');
  if (primary === undefined) return undefined;
  return {
    primary,
    others: Number(said.get('num-other-sentinels') ?? 0),
    hasQuorum: quorum.startsWith('OK'),
  };
}

function sectionOf(text: string, name: string): string {
  const [, after = ''] = text.replaceAll('\r', '').split(`[${name}]\n`, 2);
  return after.split(/^\[\w+\]$/m, 1)[0] ?? '';
}

function fields(text: string): ReadonlyMap<string, string> {
  return new Map(
    text
      .split('\n')
      .filter((line) => /^[\w-]+:/.test(line))
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  );
}
