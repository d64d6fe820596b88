import type { Action } from '../../../src/failover/plan/action.ts';
import type { Memory } from '../../../src/failover/cluster/memory.ts';
import type { Instance, Topology } from '../../../src/failover/cluster/topology.ts';
import { parseGtids } from '../../../src/database/gtid.ts';
import type { Flavour } from '../../../src/database/version.ts';
import { healthyState, NO_MEMORY, NOW, uuidOf } from './topology.ts';

/** A transaction by its origin and number: `1:17`. */
type Transaction = string;

/** One server of the model: what it has on its disk, and what runs in it. */
export interface Node {
  readonly name: string;
  up: boolean;
  fenced: boolean;
  writable: boolean;
  /** Waits for acknowledgements when it takes writes. */
  source: boolean;
  executed: Set<Transaction>;
  /** In the binary log, sent to replicas, and not acknowledged yet; `told` is false when its client is gone. */
  pending: Map<Transaction, { told: boolean }>;
  relay: Transaction[];
  link: { source: string; receiver: boolean; applier: boolean } | undefined;
  next: number;
}

export class Failure extends Error {}

export interface WorldOptions {
  readonly flavour: Flavour;
  readonly count: number;
  readonly required: number;
  /** From 0 up to 1. */
  readonly random: () => number;
}

/**
 * A cluster as a pure model: commits that wait for acknowledgements, receivers that acknowledge when they have written,
 * appliers that come later, servers that die and come back read-only. It remembers what clients were told.
 */
export class World {
  readonly nodes = new Map<string, Node>();
  readonly acknowledged = new Set<Transaction>();
  /** Cut off from every other server and from the tool; clients beside it still reach it. */
  readonly isolated = new Set<string>();
  readonly violations: string[] = [];
  writer: string | undefined = 'db1';
  held = false;
  memory: Memory = { ...NO_MEMORY, primary: 'db1' };
  readonly #options: WorldOptions;

  constructor(options: WorldOptions) {
    this.#options = options;
    for (let number = 1; number <= options.count; number++) {
      const name = `db${number}`;
      this.nodes.set(name, {
        name,
        up: true,
        fenced: false,
        writable: number === 1,
        source: number === 1,
        executed: new Set(),
        pending: new Map(),
        relay: [],
        link: number === 1 ? undefined : { source: 'db1', receiver: true, applier: true },
        next: 1,
      });
    }
  }

  node(name: string): Node {
    const node = this.nodes.get(name);
    if (node === undefined) throw new Error(`no ${name}`);
    return node;
  }

  /** What goes on without the tool: clients write, receivers receive, appliers apply. */
  live(steps: number): void {
    const { random } = this.#options;
    const all = [...this.nodes.values()];
    for (let index = 0; index < steps; index++) {
      const node = all[Math.floor(random() * all.length)] as Node;
      const kind = random();
      if (kind < 0.3) this.#write(node);
      else if (kind < 0.7) this.#receive(node, 1 + Math.floor(random() * 3));
      else this.#apply(node, 1 + Math.floor(random() * 2));
      this.#check();
    }
  }

  /** Kill -9, or a power loss: what is in the binary log is executed when it comes back, and nobody was told. */
  crash(name: string): void {
    const node = this.node(name);
    node.up = false;
    this.#endSessions(node);
    node.source = false;
    node.writable = false;
  }

  restart(name: string): void {
    const node = this.node(name);
    if (node.fenced || node.up) return;
    for (const transaction of node.pending.keys()) node.executed.add(transaction);
    node.pending.clear();
    node.up = true;
  }

  observe(): Topology {
    return {
      cluster: 'model',
      at: NOW,
      instances: [...this.nodes.values()].map((node) => this.#say(node)),
      balancers: ['lb1', 'lb2'].map((name) => ({
        name,
        reachable: true,
        writers: this.writer === undefined ? [] : [this.writer.replace('db', 'web')],
      })),
      memory: this.memory,
    };
  }

  /** In the notation of the flavour. */
  executedOf(name: string): string {
    return notation(this.#options.flavour, this.node(name).executed);
  }

  /** Carries an action out, as the executor would have the servers do it; throws a `Failure`. */
  do(action: Action): void {
    this.#do(action);
    this.#check();
  }

  /** Could it tell a client OK, were one to write now? */
  canAcknowledge(node: Node): boolean {
    return node.up && node.writable && (!node.source || this.#ackers(node).length >= this.#options.required);
  }

  everythingArrives(): void {
    for (let round = 0; round < 2 * this.nodes.size; round++) {
      for (const node of this.nodes.values()) {
        this.#receive(node, Infinity);
        this.#apply(node, Infinity);
      }
    }
    this.#check();
  }

  #do(action: Action): void {
    switch (action.do) {
      case 'hold-writers':
        this.held = true;
        return;
      case 'release-writers':
        this.held = false;
        return;
      case 'end-writers':
        if (this.writer === action.instance) this.writer = undefined;
        return;
      case 'point-writers':
        this.writer = action.instance;
        this.held = false;
        return;
      case 'fence': {
        const node = this.node(action.instance);
        if (this.isolated.has(node.name)) throw new Failure(`${node.name} cannot be reached`);
        this.crash(node.name);
        node.fenced = true;
        this.memory = { ...this.memory, fenced: [...(this.memory.fenced ?? []), node.name] };
        return;
      }
      case 'unfence': {
        const node = this.node(action.instance);
        if (this.isolated.has(node.name)) throw new Failure(`${node.name} cannot be reached`);
        node.fenced = false;
        this.restart(node.name);
        this.memory = {
          ...this.memory,
          fenced: (this.memory.fenced ?? []).filter((name) => name !== node.name),
        };
        return;
      }
      case 'hook':
        return;
      default:
    }
    const node = this.#reached(action.instance);
    switch (action.do) {
      case 'stop-receiver':
        if (node.link) node.link.receiver = false;
        return;
      case 'start-receiver':
        this.#startReceiver(node);
        return;
      case 'start-applier':
        if (node.link) node.link.applier = true;
        return;
      case 'stop-replica':
        if (node.link) Object.assign(node.link, { receiver: false, applier: false });
        return;
      case 'start-replica':
        this.#startReceiver(node);
        if (node.link) node.link.applier = true;
        return;
      case 'follow': {
        const source = this.node(action.source);
        const ahead = [...node.executed].filter(
          (one) => !source.executed.has(one) && !source.pending.has(one),
        );
        if (ahead.length > 0 && source.up)
          this.violations.push(`${node.name} follows ${source.name}, which lacks ${ahead.join(' ')}`);
        node.relay = [];
        node.link = { source: action.source, receiver: true, applier: true };
        return;
      }
      case 'forget-source':
        if (node.relay.length > 0)
          this.violations.push(`${node.name} forgets ${node.relay.length} transactions`);
        node.relay = [];
        node.link = undefined;
        return;
      case 'make-read-only':
        this.#acknowledgeAll(node);
        if (node.pending.size > 0) throw new Failure(`commits on ${node.name} wait for an acknowledgement`);
        node.writable = false;
        return;
      case 'make-writable':
        node.writable = true;
        return;
      case 'end-clients':
        this.#endSessions(node);
        return;
      case 'catch-up': {
        const other = this.#reached(action.with);
        this.#fetchAndApply(node, other.executed);
        if ([...other.executed].some((one) => !node.executed.has(one)))
          throw new Failure(`${node.name} has not caught up with ${other.name}`);
        return;
      }
      case 'apply-backlog':
        this.#apply(node, Infinity);
        if (node.relay.length > 0) throw new Failure(`${node.name} does not apply`);
        return;
      case 'semi-sync-source':
        node.source = action.on;
        // This is the trap: whoever waits is told OK.
        if (!action.on) this.#release(node);
        return;
      case 'await-ackers':
        if (this.#ackers(node).length < action.count)
          throw new Failure(`too few acknowledge to ${node.name}`);
        return;
      case 'prove':
        for (const name of action.on) this.#reached(name);
        return;
      case 'clone': {
        const donor = this.#reached(action.source);
        node.executed = new Set(donor.executed);
        node.relay = [];
        node.link = undefined;
        return;
      }
      case 'inject-empty':
      case 'semi-sync-replica':
      case 'persist-read-only':
      case 'enable-events':
        return;
    }
  }

  #reached(name: string): Node {
    const node = this.node(name);
    if (!node.up || this.isolated.has(name)) throw new Failure(`${name} does not answer`);
    return node;
  }

  #startReceiver(node: Node): void {
    if (!node.link || node.link.receiver) return;
    // MariaDB deletes the relay log when a receiver starts again by GTID.
    if (this.#options.flavour === 'mariadb') node.relay = [];
    node.link.receiver = true;
  }

  #connected(node: Node): Node | undefined {
    if (!node.up || !node.link?.receiver) return undefined;
    const source = this.node(node.link.source);
    const isCut = this.isolated.has(node.name) || this.isolated.has(source.name);
    return source.up && !isCut ? source : undefined;
  }

  #ackers(node: Node): readonly Node[] {
    return [...this.nodes.values()].filter((other) => this.#connected(other) === node);
  }

  #write(node: Node): void {
    if (!node.up || !node.writable) return;
    const transaction = `${node.name.slice(2)}:${node.next++}`;
    node.pending.set(transaction, { told: true });
    if (!node.source) this.#release(node);
  }

  #receive(node: Node, most: number): void {
    const source = this.#connected(node);
    if (source === undefined) return;
    const missing = [...source.executed, ...source.pending.keys()].filter(
      (one) => !node.executed.has(one) && !node.relay.includes(one) && !node.pending.has(one),
    );
    node.relay.push(...missing.slice(0, most));
    this.#acknowledge(source);
  }

  #apply(node: Node, most: number): void {
    if (!node.up || !node.link?.applier) return;
    for (const transaction of node.relay.splice(0, most)) node.executed.add(transaction);
  }

  #acknowledge(node: Node): void {
    if (!node.up) return;
    const ackers = this.#ackers(node);
    for (const [transaction, { told }] of node.pending) {
      const having = ackers.filter((one) => one.executed.has(transaction) || one.relay.includes(transaction));
      if (having.length < this.#options.required) return;
      node.pending.delete(transaction);
      node.executed.add(transaction);
      if (told) this.acknowledged.add(transaction);
    }
  }

  #acknowledgeAll(node: Node): void {
    for (const acker of this.#ackers(node)) this.#receive(acker, Infinity);
    this.#acknowledge(node);
    if (!node.source) this.#release(node);
  }

  #release(node: Node): void {
    for (const [transaction, { told }] of node.pending) {
      node.executed.add(transaction);
      if (told) this.acknowledged.add(transaction);
    }
    node.pending.clear();
  }

  #endSessions(node: Node): void {
    for (const pending of node.pending.values()) pending.told = false;
  }

  /** No further than needed: what else has been written may still be on its way. */
  #fetchAndApply(node: Node, wanted: ReadonlySet<Transaction>): void {
    const source = node.link && this.nodes.get(node.link.source);
    if (source && this.#connected(source)) this.#fetchAndApply(source, wanted);
    for (let before = -1; before !== node.executed.size + node.relay.length;) {
      before = node.executed.size + node.relay.length;
      if ([...wanted].every((one) => node.executed.has(one))) return;
      this.#receive(node, 1);
      this.#apply(node, 1);
    }
    this.#apply(node, Infinity);
  }

  #check(): void {
    const able = [...this.nodes.values()].filter((node) => this.canAcknowledge(node));
    if (able.length > 1)
      this.violations.push(`${able.map((node) => node.name).join(' and ')} can both acknowledge`);
  }

  #say(node: Node): Instance {
    const { flavour, required } = this.#options;
    const spec = {
      name: node.name,
      host: node.name.replace('db', 'web'),
      address: node.name,
      port: 3306,
      rule: 'neutral' as const,
      dataCentre: 'here',
    };
    if (!node.up || this.isolated.has(node.name)) {
      const kind = node.up ? 'timeout' : 'refused';
      return { spec, kind: 'silent', silence: { kind, alive: false, message: kind }, ms: 1 };
    }
    const state = healthyState(flavour, node.name, notation(flavour, node.executed));
    const isConnected = this.#connected(node) !== undefined;
    const ackers = this.#ackers(node).length;
    return {
      spec,
      kind: 'answering',
      ms: 1,
      state: {
        ...state,
        readOnly: !node.writable,
        superReadOnly: !node.writable,
        replication: node.link && {
          sourceHost: node.link.source,
          sourcePort: 3306,
          sourceUuid: flavour === 'mysql' ? uuidOf(node.link.source) : node.link.source.slice(2),
          autoPosition: true,
          tls: true,
          receiver: !node.link.receiver ? 'off' : isConnected ? 'on' : 'connecting',
          applier: node.link.applier ? 'on' : 'off',
          received: parseGtids(flavour, ''),
          backlog: parseGtids(flavour, notation(flavour, new Set(node.relay), true)),
          silentMs: isConnected ? 100 : undefined,
          lagSeconds: isConnected ? 0 : undefined,
          delaySeconds: 0,
          filters: [],
          receiverError: undefined,
          applierError: undefined,
        },
        semiSync: {
          available: true,
          source: {
            enabled: node.source,
            active: node.source,
            ackers,
            requiredAcks: required,
            timeoutMs: 1e12,
            waiting: node.pending.size,
          },
          replica: { enabled: true, active: isConnected },
        },
        waitingForAck: [...node.pending.keys()].map((_, index) => ({
          id: index + 1,
          user: 'app',
          host: 'web1',
          seconds: 1,
          state: 'Waiting for semi-sync ACK from replica',
        })),
      },
    };
  }
}

/** MariaDB's numbers belong to the domain, so each origin has a domain of its own in the model. */
function notation(flavour: Flavour, transactions: ReadonlySet<Transaction>, isDifference = false): string {
  const byOrigin = new Map<string, number[]>();
  for (const transaction of transactions) {
    const [origin = '', number = ''] = transaction.split(':');
    byOrigin.set(origin, [...(byOrigin.get(origin) ?? []), Number(number)]);
  }
  return [...byOrigin]
    .map(([origin, numbers]) => {
      const sorted = [...numbers].sort((a, b) => a - b);
      if (flavour === 'mysql')
        return `${uuidOf(origin)}:${sorted.map((number) => `${number}-${number}`).join(':')}`;
      return isDifference
        ? `${origin}-${origin}-${sorted[0]}..${sorted.at(-1)}`
        : `${origin}-${origin}-${sorted.at(-1)}`;
    })
    .join(',');
}
