import { readFileSync } from 'node:fs';

import type { Cluster } from '../failover/cluster/cluster.ts';
import type { Topology } from '../failover/cluster/topology.ts';
import { etcdHealth } from '../failover/coordination/etcd-health.ts';
import { historyJson, statusJson } from '../failover/output/json.ts';
import type { HistoryJson, SessionStoreJson } from '../failover/output/json-schema.ts';
import { problems } from '../failover/problems/problems.ts';
import type { Ports } from '../failover/reach/ports.ts';
import { watchersOf } from '../failover/watch/presence.ts';
import { type Probe, startProbe } from '../failover/watch/probe.ts';
import { topologyOf } from '../failover/watch/situation.ts';
import { Surroundings } from '../failover/watch/surroundings.ts';
import type { Dial } from '../lib/dial.ts';
import { UserError } from '../lib/errors.ts';
import { keepLooking } from './keep-looking.ts';
import type { DatabaseState } from './model/state.ts';

/** What the eye sees a cluster by; nothing of it changes anything. */
export interface DatabaseWays {
  readonly cluster: Cluster;
  readonly ports: Ports;
  /** To the members of etcd. */
  readonly dial?: Dial | undefined;
  /** Asks the store of sessions, where there is one that can be asked. */
  readonly sessions?: (() => Promise<SessionStoreJson>) | undefined;
}

/** How many changes of the journal are shown. */
const HISTORY_LENGTH = 12;
const MEMORY_EVERY_MS = 300;
const BALANCERS_EVERY_MS = 2000;
/** While nothing is under way, somebody may still add to the journal: it is read again. */
const HISTORY_EVERY_MS = 5000;
const ETCD_EVERY_MS = 5000;
const SESSIONS_EVERY_MS = 5000;
/** After a change instances are asked often for so long, to see its effects at once. */
const HURRY_MS = 3000;

/** Looks at one cluster, with the probes of the watch, until the signal comes; calls `onChange` when it may look different. */
export class DatabaseEye {
  readonly #ways: DatabaseWays;
  readonly #onChange: () => void;
  readonly #probes: readonly Probe[];
  readonly #surroundings: Surroundings;
  #memoryFailure: string | undefined;
  #historyFailure: string | undefined;
  #history: readonly HistoryJson[] = [];
  #historyAt = -Infinity;
  #historyOf = '';
  #etcd: DatabaseState['etcd'] = [];
  #sessions: SessionStoreJson | null = null;
  #hurriedUntil = -Infinity;

  constructor(ways: DatabaseWays, signal: AbortSignal, onChange: () => void) {
    this.#ways = ways;
    this.#onChange = onChange;
    const { cluster, ports } = ways;
    this.#surroundings = new Surroundings({
      cluster,
      ports,
      log: ({ event, message }) => {
        this.#memoryFailure = event === 'store-lost' ? message : undefined;
      },
    });
    this.#probes = cluster.instances.map((spec) => {
      const server = ports.servers.get(spec.name);
      if (!server) throw new Error(`no server for ${spec.name}`);
      return startProbe({ spec, server, settings: cluster.settings, onChange, clock });
    });
    signal.addEventListener('abort', () => this.#probes.forEach((probe) => probe.stop()), { once: true });
    keepLooking(MEMORY_EVERY_MS, signal, async () => await this.#readMemory());
    keepLooking(BALANCERS_EVERY_MS, signal, async () => {
      await this.#surroundings.readBalancers();
      onChange();
    });
    if (cluster.etcd.length > 0) keepLooking(ETCD_EVERY_MS, signal, async () => await this.#readEtcd());
    if (ways.sessions) keepLooking(SESSIONS_EVERY_MS, signal, async () => await this.#readSessions());
  }

  /** The cluster as it is known now. */
  state(): DatabaseState {
    const { cluster } = this.#ways;
    const topology = this.#topology();
    const memory = this.#surroundings.memory;
    const at = Date.now();
    const storeFailure = this.#memoryFailure ?? this.#historyFailure;
    return {
      name: cluster.name,
      status:
        topology === undefined
          ? null
          : statusJson(topology, problems(topology, cluster.settings), 0, this.#sessions),
      failure: null,
      storeFailure: storeFailure ?? null,
      silentWatchers: [...watchersOf(memory, at).silent],
      etcd: this.#etcd,
      history: [...this.#history],
    };
  }

  #topology(): Topology | undefined {
    const { cluster } = this.#ways;
    if (!this.#surroundings.hasMemory && this.#memoryFailure === undefined) return undefined;
    const records = this.#probes.map((probe) => probe.record);
    return topologyOf(cluster.name, records, this.#surroundings, clock(), cluster.settings.pollMs);
  }

  async #readMemory(): Promise<void> {
    await this.#surroundings.readMemory();
    if (this.#memoryFailure !== undefined) {
      this.#onChange();
      return;
    }
    const { epoch, unfinished } = this.#surroundings.memory;
    const isRunning = unfinished !== undefined || this.#history[0]?.outcome === 'running';
    const now = clock();
    const seen = `${epoch} ${unfinished?.id ?? ''}`;
    const isNews = isRunning || seen !== this.#historyOf;
    // What the first look finds may be long over: the servers need not answer often for that.
    if (isRunning || (isNews && this.#historyOf !== '')) this.#hurriedUntil = now + HURRY_MS;
    if (isNews || now - this.#historyAt >= HISTORY_EVERY_MS) {
      await this.#readHistory();
      this.#historyAt = now;
      this.#historyOf = seen;
    }
    for (const probe of this.#probes) probe.hurry(now < this.#hurriedUntil);
    this.#onChange();
  }

  async #readHistory(): Promise<void> {
    try {
      const entries = await this.#ways.ports.coordination.history(HISTORY_LENGTH);
      this.#history = entries.map(historyJson);
      this.#historyFailure = undefined;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#historyFailure = error.message;
    }
  }

  async #readEtcd(): Promise<void> {
    const { cluster, dial } = this.#ways;
    if (dial === undefined) return;
    const { ca } = cluster.tls;
    const health = await etcdHealth(cluster.etcd, {
      dial,
      ca: ca === undefined ? undefined : readFileSync(ca, 'utf8'),
      timeoutMs: cluster.settings.connectTimeoutMs + cluster.settings.queryTimeoutMs,
    });
    this.#etcd = [...health].map(([member, trouble]) => ({ member, trouble: trouble ?? null }));
    this.#onChange();
  }

  async #readSessions(): Promise<void> {
    this.#sessions = (await this.#ways.sessions?.()) ?? null;
    this.#onChange();
  }
}

/** A steady clock, in milliseconds. */
function clock(): number {
  return performance.now();
}
