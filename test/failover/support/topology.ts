import { defaultSettings } from '../../../src/failover/cluster/settings.ts';
import type { FailoverSettings } from '../../../src/failover/cluster/cluster.ts';
import type { Memory, SourceSettings } from '../../../src/failover/cluster/memory.ts';
import type { PromotionRule } from '../../../src/failover/cluster/promotion-rule.ts';
import type {
  BalancerView,
  Instance,
  InstanceSpec,
  Topology,
} from '../../../src/failover/cluster/topology.ts';
import { primaryOf } from '../../../src/failover/cluster/primary.ts';
import { ENDLESS_TIMEOUT_MS } from '../../../src/failover/cluster/survey.ts';
import { parseGtids } from '../../../src/database/gtid.ts';
import type { ClientThread, InstanceState, Silence } from '../../../src/database/state.ts';
import type { Flavour } from '../../../src/database/version.ts';

export const SETTINGS: FailoverSettings = defaultSettings();
export const NOW = 1_800_000_000_000;

export const NO_MEMORY: Memory = {
  epoch: 1,
  primary: undefined,
  lastSeen: undefined,
  downtimes: [],
  unacknowledged: undefined,
  paused: undefined,
  rules: {},
  unfinished: undefined,
};

/** MySQL's UUID of `db3` ends in 3; so does MariaDB's server_id. */
export function uuidOf(name: string): string {
  return `00000000-0000-0000-0000-${name.replace(/\D/g, '').padStart(12, '0')}`;
}

/**
 * `1:1-100 2:5` is MySQL's `…0001:1-100,…0002:5`, and MariaDB's `0-1-100,0-2-5`: there the last number stands for all,
 * but in a difference.
 */
export function gtids(flavour: Flavour, text: string, isDifference = false): string {
  return text
    .split(/[ ,]+/)
    .filter((word) => word !== '')
    .map((word) => {
      const [server = '', numbers = ''] = word.split(':');
      if (flavour === 'mysql') return `${uuidOf(server)}:${numbers}`;
      const [first, last] = numbers.split('-');
      return isDifference ? `0-${server}-${first}..${last ?? first}` : `0-${server}-${last ?? first}`;
    })
    .join(',');
}

/** A healthy, read-only instance of MySQL 9.7 that follows nobody. */
export function healthyState(flavour: Flavour, name: string, executed: string): InstanceState {
  return {
    version: {
      flavour,
      major: flavour === 'mysql' ? 9 : 11,
      minor: flavour === 'mysql' ? 7 : 8,
      patch: 3,
      text: flavour === 'mysql' ? '9.7.3' : '11.8.3-MariaDB',
    },
    uuid: flavour === 'mysql' ? uuidOf(name) : String(Number(name.replace(/\D/g, ''))),
    serverId: Number(name.replace(/\D/g, '')),
    hostname: name,
    uptimeSeconds: 1000,
    startedAt: 1_700_000_000_000,
    readOnly: true,
    superReadOnly: true,
    offlineMode: false,
    executed: parseGtids(flavour, executed),
    purged: parseGtids(flavour, ''),
    gtidMode: true,
    logBin: true,
    logReplicaUpdates: true,
    binlogFormat: 'ROW',
    replication: undefined,
    otherChannels: [],
    replicas: [],
    semiSync: {
      available: true,
      source: {
        enabled: false,
        active: false,
        ackers: 0,
        requiredAcks: 1,
        timeoutMs: 1e12,
        waitsWithoutReplicas: true,
        waiting: 0,
      },
      replica: { enabled: true, active: false },
    },
    longTransactions: [],
    waitingForAck: [],
    disabledEvents: [],
    lockHolders: [],
    backupLocks: [],
    preparedTransactions: undefined,
    binlogBytes: 1000,
    connections: 10,
    maxConnections: 500,
  };
}

type Draft = { -readonly [Key in keyof InstanceState]: InstanceState[Key] };

/**
 * One instance in one line: `db1 primary 1:1-100`, `db2 <db1 1:1-98 +1:99-100 lag=3 prefer`, `db3 dead=timeout`.
 * `primary` is writable with semi-sync on; `<db1` follows it, with `~` or `x` behind for a receiver that tries, or is off.
 */
export function parseInstance(
  line: string,
  flavour: Flavour,
): { instance: Instance; acks: string | undefined } {
  const words = line.trim().split(/\s+/);
  const name = words.shift() ?? '';
  let spec: InstanceSpec = {
    name,
    host: `web${name.replace(/\D/g, '')}`,
    address: name,
    port: 3306,
    rule: 'neutral',
    dataCentre: 'here',
  };
  let silence: Silence | undefined;
  const state: Draft = healthyState(flavour, name, '');
  const backlog: string[] = [];
  const executed: string[] = [];
  let acks: string | undefined;
  const replication = (change: object): void => {
    if (state.replication === undefined) throw new Error(`${line}: <SOURCE comes first`);
    state.replication = { ...state.replication, ...change };
  };
  const source = (change: object): void => {
    state.semiSync = { ...state.semiSync, source: { ...state.semiSync.source, ...change } };
  };
  for (const word of words) {
    const [key = '', value = ''] = word.split('=');
    const followed = /^<(\w+?)([~x]?)$/.exec(word);
    if (followed) {
      const [, host = '', how = ''] = followed;
      state.replication = {
        sourceHost: host,
        sourcePort: 3306,
        sourceUuid: flavour === 'mysql' ? uuidOf(host) : String(Number(host.replace(/\D/g, ''))),
        autoPosition: true,
        tls: true,
        receiver: how === '' ? 'on' : how === '~' ? 'connecting' : 'off',
        applier: 'on',
        received: parseGtids(flavour, ''),
        position: 'binlog.000001 1000',
        backlog: parseGtids(flavour, ''),
        silentMs: how === '' ? 300 : undefined,
        lagSeconds: how === '' ? 0 : undefined,
        delaySeconds: 0,
        filters: [],
        receiverError: undefined,
        applierError: undefined,
      };
      state.semiSync = { ...state.semiSync, replica: { enabled: true, active: how === '' } };
      if (how === '') acks = host;
    } else if (/^\d+:/.test(word)) executed.push(word);
    else if (/^\+\d+:/.test(word)) backlog.push(word.slice(1));
    else if (key === 'got') replication({ received: parseGtids(flavour, gtids(flavour, value)) });
    else if (word === 'primary') {
      state.readOnly = false;
      state.superReadOnly = false;
      source({ enabled: true, active: true });
    } else if (word === 'writable') {
      state.readOnly = false;
      state.superReadOnly = false;
    } else if (word === 'offline') state.offlineMode = true;
    else if (word === 'nosuper') state.superReadOnly = false;
    else if (key === 'dead') {
      const kind = (value || 'timeout') as Silence['kind'];
      silence = {
        kind,
        alive: ['denied', 'too-many-connections', 'starting', 'unsupported', 'error'].includes(kind),
        message: kind,
      };
    } else if (key === 'lag') replication({ lagSeconds: Number(value) });
    else if (key === 'silent') replication({ silentMs: Number(value) });
    else if (key === 'delay') replication({ delaySeconds: Number(value) });
    else if (key === 'filter') replication({ filters: [word.slice('filter='.length)] });
    else if (word === 'clear') replication({ tls: false });
    else if (word === 'positions') replication({ autoPosition: false });
    else if (key === 'applier')
      replication({
        applier: 'off',
        ...(value === 'off' ? {} : { applierError: { code: Number(value), message: 'broken' } }),
      });
    else if (key === 'receiver') replication({ receiverError: { code: Number(value), message: 'broken' } });
    else if (word === 'noack') {
      state.semiSync = { ...state.semiSync, replica: { enabled: false, active: false } };
      acks = undefined;
    } else if (word === 'inactive') {
      state.semiSync = { ...state.semiSync, replica: { enabled: true, active: false } };
      acks = undefined;
    } else if (word === 'async') {
      source({ enabled: false, active: false });
      state.semiSync = { ...state.semiSync, replica: { enabled: false, active: false } };
      acks = undefined;
    } else if (word === 'fellback') source({ active: false });
    else if (word === 'sourceoff') source({ enabled: false, active: false });
    else if (word === 'sourceon') source({ enabled: true, active: true });
    else if (key === 'need') source({ requiredAcks: Number(value) });
    else if (key === 'ackers') source({ ackers: Number(value) });
    else if (word === 'waitless') source({ waitsWithoutReplicas: false });
    else if (key === 'timeout') source({ timeoutMs: Number(value) });
    else if (key === 'waiting')
      state.waitingForAck = [threadOf(value, 'Waiting for semi-sync ACK from replica')];
    else if (key === 'locked')
      state.lockHolders = [{ ...thread(Number(value), 'User sleep'), holds: 'tables', statement: '' }];
    else if (key === 'locking')
      state.lockHolders = [
        {
          ...thread(Number(value), ''),
          id: 43,
          holds: 'tables-for-writing',
          statement: 'LOCK TABLES `t` WRITE',
        },
      ];
    else if (key === 'backup')
      state.backupLocks = [{ ...thread(Number(value), ''), id: 44, holds: 'backup', statement: '' }];
    else if (key === 'prepared') state.preparedTransactions = { seconds: Number(value), names: ["'q'"] };
    else if (key === 'long') state.longTransactions = [thread(Number(value), '')];
    else if (key === 'commit')
      state.longTransactions = [...state.longTransactions, threadOf(value, 'waiting for handler commit')];
    else if (key === 'written') state.binlogBytes = value === 'unknown' ? undefined : Number(value);
    else if (key === 'position') replication({ position: `binlog.000001 ${value}` });
    else if (key === 'seen') {
      const [uuid = '', address = ''] = value.split('@');
      state.replicas = [
        ...state.replicas,
        { uuid: flavour === 'mysql' ? uuidOf(uuid) : uuid.replace(/\D/g, ''), address },
      ];
    } else if (key === 'full') state.longTransactions = [threadOf(value, 'Waiting for disk space')];
    else if (key === 'v') {
      const [major = 0, minor = 0, patch = 0] = value.split('.').map(Number);
      state.version = { ...state.version, major, minor, patch, text: value };
    } else if (key === 'dc') spec = { ...spec, dataCentre: value };
    else if (['prefer', 'prefer_not', 'must_not'].includes(word))
      spec = { ...spec, rule: word as PromotionRule };
    else if (word === 'nobin') state.logBin = false;
    else if (word === 'nologupdates') state.logReplicaUpdates = false;
    else if (word === 'nogtid') state.gtidMode = false;
    else if (key === 'format') state.binlogFormat = value;
    else if (key === 'up') state.uptimeSeconds = Number(value);
    else if (key === 'run') state.startedAt += Number(value) * 1000;
    else if (key === 'id') state.serverId = Number(value);
    else if (key === 'uuid') state.uuid = uuidOf(value);
    else if (key === 'flavour') state.version = { ...state.version, flavour: value as Flavour };
    else if (key === 'channel') state.otherChannels = [value];
    else if (key === 'purged') state.purged = parseGtids(flavour, gtids(flavour, value));
    else if (key === 'connections') state.connections = Number(value);
    else throw new Error(`${line}: what is "${word}"?`);
  }
  state.executed = parseGtids(flavour, gtids(flavour, executed.join(' ')));
  if (state.replication)
    replication({ backlog: parseGtids(flavour, gtids(flavour, backlog.join(' '), true)) });
  return {
    instance: silence ? { spec, kind: 'silent', silence, ms: 1 } : { spec, kind: 'answering', state, ms: 1 },
    acks: silence ? undefined : acks,
  };
}

/** `12`, or `12#7` for session 7. */
function threadOf(value: string, state: string): ClientThread {
  const [seconds, id = 42] = value.split('#').map(Number);
  return { ...thread(seconds ?? 0, state), id };
}

function thread(seconds: number, state: string): ClientThread {
  return { id: 42, user: 'app', host: 'web1', seconds, state };
}

export interface Described {
  readonly flavour?: Flavour | undefined;
  readonly instances: readonly string[];
  readonly memory?: Partial<Omit<Memory, 'lastSeen' | 'began'>> & {
    readonly lastSeen?: string;
    readonly began?: string;
  };
  /** Two balancers that agree with the primary, unless said otherwise. */
  readonly balancers?: readonly BalancerView[] | undefined;
}

/** A snapshot from its lines. A primary counts those who follow it as its ackers, unless a line says how many. */
export function describe({ flavour = 'mysql', instances, memory = {}, balancers }: Described): Topology {
  const parsed = instances.map((line) => ({ line, ...parseInstance(line, flavour) }));
  const members = parsed.map(({ line, instance }): Instance => {
    if (instance.kind === 'silent' || line.includes('ackers=')) return instance;
    const ackers = parsed.filter(({ acks }) => acks === instance.spec.name).length;
    const { semiSync } = instance.state;
    return {
      ...instance,
      state: { ...instance.state, semiSync: { ...semiSync, source: { ...semiSync.source, ackers } } },
    };
  });
  const writers = members
    .filter((instance) => instance.kind === 'answering' && !instance.state.readOnly)
    .map((instance) => instance.spec.host);
  const topology: Topology = {
    cluster: 'test',
    at: NOW,
    instances: members,
    balancers:
      balancers ?? ['lb1', 'lb2'].map((name) => ({ name, reachable: true, writers: writers.slice(0, 1) })),
    memory: {
      ...NO_MEMORY,
      ...memory,
      lastSeen: memory.lastSeen === undefined ? undefined : gtids(flavour, memory.lastSeen),
      began: memory.began === undefined ? undefined : gtids(flavour, memory.began),
    },
  };
  if (memory.semiSync !== undefined) return topology;
  const view = primaryOf(topology);
  const primary = 'primary' in view ? view.primary.spec.name : undefined;
  return primary === undefined
    ? topology
    : { ...topology, memory: { ...topology.memory, semiSync: semiSyncOf(primary, instances) } };
}

/** A primary was seen to wait as those are configured who answer, unless a line says otherwise. */
function semiSyncOf(primary: string, lines: readonly string[]): SourceSettings {
  const numbers = (key: string): readonly number[] =>
    lines.flatMap((line) =>
      [...line.matchAll(new RegExp(`${key}=(\\d+)`, 'g'))].map(([, value]) => Number(value)),
    );
  return {
    instance: primary,
    waits: !lines.some((line) => /\b(async|fellback)\b/.test(line)),
    required: Math.max(1, ...numbers('need')),
    endless: numbers('timeout').every((timeout) => timeout >= ENDLESS_TIMEOUT_MS),
  };
}
