import { randomBytes } from 'node:crypto';

import type { Dial } from '../../lib/dial.ts';
import { UserError } from '../../lib/errors.ts';
import type { Account } from '../cluster/cluster.ts';
import type { JournalEntry, LeaseOwner } from './records.ts';
import type { Coordination, Lease } from './coordination.ts';
import type { Memory } from '../cluster/memory.ts';
import { etcdGateway, type EtcdGateway, type EtcdKeyValue } from './etcd-gateway.ts';
import { etcdHttp, parseEndpoint } from './etcd-http.ts';
import { leaseClock, now, type LeaseClock } from './lease-clock.ts';
import { EMPTY_MEMORY } from './empty-memory.ts';
import { packed, unpacked } from './packed.ts';
import { refuseNewer, stamped } from './record-version.ts';
import { heldBySomebody, leaseLost } from './lease-errors.ts';
import { JOURNAL_LENGTH } from './coordination.ts';

export interface EtcdCoordinationOptions {
  /** `ADDRESS:PORT` of each member. */
  readonly endpoints: readonly string[];
  readonly dial: Dial;
  /** `ca` is PEM text. Without TLS only for tests: passwords would travel in the clear. */
  readonly tls?: { readonly ca: string } | undefined;
  readonly account?: Account | undefined;
  readonly cluster: string;
  /** How long the lock stays held after its holder died. */
  readonly ttlSeconds?: number | undefined;
  readonly hedgeMs?: number | undefined;
  readonly timeoutMs?: number | undefined;
}

/** The value of the lock's key. */
interface LockValue extends LeaseOwner {
  readonly token: string;
  readonly epoch: number;
}

/** The memory with a token of its writer, which shows whether a change without an answer was made. */
interface StoredMemory {
  readonly token: string;
  readonly memory: Memory;
}

/**
 * Keeps lock, epoch, memory and journal in etcd, for several daemons and operators. Every operation needs a majority
 * of the members: without one, every method rejects with a `UserError`, and the caller neither promotes nor demotes
 * anything.
 */
export function etcdCoordination(options: EtcdCoordinationOptions): Coordination {
  const { cluster, ttlSeconds = 5 } = options;
  if (options.endpoints.length === 0) throw new UserError(`no etcd members are named for ${cluster}`);
  const http = etcdHttp({
    endpoints: options.endpoints.map(parseEndpoint),
    dial: options.dial,
    ca: options.tls?.ca,
    hedgeMs: options.hedgeMs ?? 300,
    timeoutMs: options.timeoutMs ?? 4000,
  });
  const etcd = etcdGateway(http, options.account);
  const prefix = `understudy/${encodeURIComponent(cluster)}/`;
  const keys = {
    lock: `${prefix}lock`,
    epoch: `${prefix}epoch`,
    memory: `${prefix}memory`,
    journal: `${prefix}journal/`,
  };
  const held = new Set<Lease>();

  // The schemas of the records load while the first requests are sent.
  const reading = import('./records.ts');
  const storedMemory = async (found: EtcdKeyValue | undefined): Promise<StoredMemory> => {
    if (!found) return { token: '', memory: EMPTY_MEMORY };
    const { memoryFrom } = await reading;
    const { token, memory } = parseStored(found);
    return { token, memory: memoryFrom(memory, `${found.key} in etcd`) };
  };

  const acquire = async (owner: LeaseOwner): Promise<Lease> => {
    const sent = now();
    const reading = etcd.txn([], [{ get: keys.lock }, { get: keys.epoch }, { get: keys.memory }]);
    // Granted at the same time as the lock is read; a lease that is not needed expires.
    const granting = etcd.grant(ttlSeconds);
    granting.catch(() => {});
    const { found } = await reading;
    const holder = found[0]?.[0];
    if (holder) throw heldBySomebody(cluster, parseLock(holder), freeHint(ttlSeconds));
    const counter = found[1]?.[0];
    const epoch = Math.max(parseEpoch(counter), (await storedMemory(found[2]?.[0])).memory.epoch) + 1;
    const { id, ttlMs } = await granting;
    const value: LockValue = { ...owner, epoch, token: randomBytes(12).toString('hex') };
    const text = JSON.stringify(stamped(value));
    const result = await etcd.txn(
      [
        { key: keys.lock, modified: '0' },
        { key: keys.epoch, modified: counter?.modified ?? '0' },
      ],
      [
        { put: keys.lock, value: text, lease: id },
        { put: keys.epoch, value: String(epoch) },
      ],
      [{ get: keys.lock }],
    );
    const winner = result.found[0]?.[0];
    // The answer to an earlier attempt may have been lost: then this process holds the lock already.
    if (!result.succeeded && winner?.value !== text) {
      await etcd.revoke(id).catch(() => {});
      throw heldBySomebody(cluster, winner && parseLock(winner), freeHint(ttlSeconds));
    }
    const lease = etcdLease({
      etcd,
      cluster,
      key: keys.lock,
      text,
      epoch,
      id,
      forget: () => held.delete(lease),
    });
    lease.clock.renew(sent, ttlMs);
    if (!lease.clock.valid()) throw lease.signal.reason;
    held.add(lease);
    lease.keep();
    return lease;
  };

  const remember = async (change: (memory: Memory) => Memory): Promise<void> => {
    const token = randomBytes(12).toString('hex');
    let current = (await etcd.txn([], [{ get: keys.memory }])).found[0]?.[0];
    for (let attempt = 0; attempt < 50; attempt++) {
      const { memory } = await storedMemory(current);
      const stored: StoredMemory = { token, memory: stamped(change(memory)) };
      const result = await etcd.txn(
        [{ key: keys.memory, modified: current?.modified ?? '0' }],
        [{ put: keys.memory, value: fitting(cluster, packed(JSON.stringify(stored))) }],
        [{ get: keys.memory }],
      );
      if (result.succeeded) return;
      current = result.found[0]?.[0];
      if ((await storedMemory(current)).token === token) return;
    }
    throw new UserError(`what ${cluster} remembers is changed by others all the time; try again`);
  };

  return {
    acquire,
    holder: async () => {
      const found = (await etcd.txn([], [{ get: keys.lock }])).found[0]?.[0];
      if (!found) return undefined;
      const { who, purpose } = parseLock(found);
      return { who, purpose };
    },
    memory: async () => {
      const { found } = await etcd.txn([], [{ get: keys.memory }]);
      return (await storedMemory(found[0]?.[0])).memory;
    },
    remember,
    write: journalWriter(etcd, keys.journal),
    history: async (limit) => {
      const { found } = await etcd.txn([], [{ newest: keys.journal, limit }]);
      const { parseEntry } = await reading;
      return (found[0] ?? []).map((one) => parseEntry(unpacked(one.value), `${one.key} in etcd`));
    },
    close: async () => {
      await Promise.all([...held].map((lease) => lease.release()));
      http.close();
    },
  };
}

/**
 * Each write of an entry replaces the version that this process wrote before, and no other one: a request that a frozen
 * member executes late must not restore an older version.
 */
function journalWriter(etcd: EtcdGateway, prefix: string): (entry: JournalEntry) => Promise<void> {
  const known = new Map<string, string>();
  let last: Promise<unknown> = Promise.resolve();

  const write = async (entry: JournalEntry): Promise<void> => {
    const key = prefix + entry.id;
    const value = entryText(entry);
    const isNew = !known.has(entry.id);
    for (let attempt = 0; attempt < 50; attempt++) {
      const { succeeded, found } = await etcd.txn(
        [{ key, modified: known.get(entry.id) ?? '0' }],
        [{ put: key, value }, { get: key }],
        [{ get: key }],
      );
      const stored = found[0]?.[0];
      known.set(entry.id, stored?.modified ?? '0');
      if (!succeeded && stored?.value !== value) continue;
      if (isNew) await shorten();
      return;
    }
    throw new UserError(`others write the journal's entry ${entry.id} all the time`);
  };
  const shorten = async (): Promise<void> => {
    const { found } = await etcd.txn([], [{ newest: prefix, limit: JOURNAL_LENGTH + 50, keysOnly: true }]);
    const old = (found[0] ?? []).slice(JOURNAL_LENGTH);
    if (old.length > 0)
      await etcd.txn(
        [],
        old.map((one) => ({ remove: one.key })),
      );
  };
  return (entry) => {
    // Writes are sent one after the other, even when the caller does not wait.
    const done = last.then(() => write(entry));
    last = done.catch(() => {});
    return done;
  };
}

/**
 * The text of an entry; its GTIDs are shortened when it would be too large, so that no change fails because of its
 * journal.
 */
function entryText(entry: JournalEntry): string {
  const whole = packed(JSON.stringify(stamped(entry)));
  if (Buffer.byteLength(whole) <= LARGEST_BYTES) return whole;
  const gtids = Object.fromEntries(
    Object.entries(entry.gtids).map(([name, text]) => [name, shortened(text)] as const),
  );
  return packed(JSON.stringify(stamped({ ...entry, gtids, lostGtids: shortened(entry.lostGtids) })));
}

function shortened(text: string): string {
  return text.length <= SHORT_GTIDS ? text : `${text.slice(0, SHORT_GTIDS)}… (${text.length} characters)`;
}

function fitting(cluster: string, value: string): string {
  const bytes = Buffer.byteLength(value);
  if (bytes <= LARGEST_BYTES) return value;
  throw new UserError({
    message: `what ${cluster} remembers is too large for etcd (${bytes} bytes, packed): its sets of GTIDs have too many gaps`,
    hint: 'let the instances have one history without gaps (`failover rejoin --clone`), or run with --no-store',
  });
}

function etcdLease(of: {
  readonly etcd: EtcdGateway;
  readonly cluster: string;
  readonly key: string;
  readonly text: string;
  readonly epoch: number;
  readonly id: string;
  readonly forget: () => void;
}): Lease & { readonly clock: LeaseClock; keep(): void } {
  const { etcd, cluster, key, text, epoch, id } = of;
  const clock = leaseClock(() => leaseLost(cluster, 'etcd did not renew it in time'));
  let timer: NodeJS.Timeout | undefined;

  const keep = (): void => {
    if (clock.signal.aborted) return;
    const sent = now();
    const again = (ms: number): void => {
      if (!clock.signal.aborted) timer = setTimeout(keep, ms).unref();
    };
    etcd.keepAlive(id, clock.signal).then(
      (ttlMs) => {
        if (ttlMs > 0) clock.renew(sent, ttlMs);
        else clock.end(leaseLost(cluster, 'etcd says that it is over'));
        again(KEEP_ALIVE_MS);
      },
      // Repeated until the lease expires, whether the request failed or was refused.
      () => again(KEEP_ALIVE_RETRY_MS),
    );
  };

  return {
    epoch,
    clock,
    signal: clock.signal,
    keep,
    confirm: async () => {
      if (clock.valid()) {
        // Without a read in it, a member in a minority would answer the transaction from its own data.
        const read = [{ get: key }];
        const { succeeded } = await etcd.txn([{ key, value: text }], read, read, clock.signal);
        if (succeeded && clock.valid()) return;
        clock.end(leaseLost(cluster, 'somebody else may have it by now'));
      }
      throw clock.signal.reason;
    },
    release: async () => {
      clearTimeout(timer);
      of.forget();
      const wasOurs = clock.valid();
      clock.end(leaseLost(cluster, 'it was given back'));
      // When the request fails, the lease expires within seconds.
      if (wasOurs) await etcd.revoke(id).catch(() => {});
    },
  };
}

/** The largest value in bytes: etcd's limit of 1.5 MiB is for the whole request. */
const LARGEST_BYTES = 1_200_000;
const SHORT_GTIDS = 2000;
const KEEP_ALIVE_MS = 1000;
const KEEP_ALIVE_RETRY_MS = 200;

function parseLock(found: EtcdKeyValue): LockValue {
  try {
    const value = JSON.parse(found.value) as LockValue;
    if (typeof value.who === 'string' && typeof value.purpose === 'string') return value;
  } catch {
    // Reported below: a lock that this tool did not write is held all the same.
  }
  return { who: 'somebody', purpose: `${found.key} in etcd is not ours`, token: '', epoch: 0 };
}

function parseEpoch(found: EtcdKeyValue | undefined): number {
  if (!found) return 0;
  const epoch = Number(found.value);
  if (found.value !== '' && Number.isSafeInteger(epoch) && epoch >= 0) return epoch;
  throw new UserError({
    message: `${found.key} in etcd cannot be read: it should hold one whole number`,
    hint: 'put the largest epoch that `failover history` shows there',
  });
}

function parseStored(found: EtcdKeyValue): StoredMemory {
  let stored: StoredMemory | null | undefined;
  try {
    stored = JSON.parse(unpacked(found.value)) as StoredMemory | null;
  } catch {
    // Reported below.
  }
  refuseNewer(stored, `${found.key} in etcd`);
  if (typeof stored?.token === 'string') return stored;
  throw new UserError({
    message: `${found.key} in etcd cannot be read`,
    hint: 'remove the key: then downtimes, rules and pauses set at run time are forgotten',
  });
}

function freeHint(ttlSeconds: number): string {
  return `wait for it to end; when its process or machine died, the lock is free after ${ttlSeconds} seconds`;
}
