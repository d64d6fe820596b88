import type { Memory } from '../../../src/failover/cluster/memory.ts';
import type { Flavour } from '../../../src/database/version.ts';
import { NO_MEMORY, NOW } from './topology.ts';

/** A transaction by its origin and number: `1:17`. */
export type Transaction = string;

/** Where an instance gets its transactions from. */
export interface Link {
  source: string;
  receiver: boolean;
  applier: boolean;
  /** The source has purged what this replica needs: error 1236 ended the receiver. */
  lacksPurged: boolean;
}

/** One server of the model: what it has on its disk, and what runs in it. */
export interface Node {
  readonly name: string;
  readonly dataCentre: string;
  up: boolean;
  fenced: boolean;
  /** Its machine answers by SSH: mysqld can be stopped from outside. */
  machine: boolean;
  writable: boolean;
  /** Its commits take long: it looks stalled. Some of them end all the same. */
  stalled: boolean;
  /** Waits for acknowledgements when it takes writes. */
  source: boolean;
  /** How many it waits for. */
  required: number;
  /** It waits for ever; otherwise it falls back to asynchronous when an acknowledgement does not come. */
  endless: boolean;
  fellBack: boolean;
  /** Acknowledges to its source. */
  acks: boolean;
  executed: Set<Transaction>;
  /** No longer in its binary log. */
  purged: Set<Transaction>;
  /** In the binary log, sent to replicas, and not acknowledged yet; `told` is false when its client is gone. */
  pending: Map<Transaction, { told: boolean }>;
  relay: Transaction[];
  link: Link | undefined;
  next: number;
  /** Applies late on purpose (SOURCE_DELAY): within any time limit it applies nothing. */
  delayed: boolean;
  /** Its disk lies: it comes back from a crash without its last writes. */
  losesTail: boolean;
  lostTail: boolean;
  /** How often it was started again. */
  restarts: number;
  /** So far behind that it does not catch up within any time limit. */
  lagging: boolean;
  /** Its data are being replaced by a copy: what it held, nobody finds there any more. */
  copied: { readonly held: ReadonlySet<Transaction> } | undefined;
  /** STOP REPLICA IO_THREAD does not end: its disk is full, or it waits for its source. */
  keepsReceiving: boolean;
}

/** The servers, or a balancer, did not do what they were told. */
export class Failure extends Error {}

/** What is wrong with the balancers: `slow` ones do what they are told, and their answer comes too late. */
export type BalancerTrouble = 'none' | 'rejects' | 'slow';

export interface WorldOptions {
  readonly flavour: Flavour;
  readonly count: number;
  readonly required: number;
  /** From 0 up to 1. */
  readonly random: () => number;
}

/** HAProxy's script holds writers for so long at most, and rejects what asks for more. */
export const LONGEST_HOLD_MS = 60_000;

/**
 * Servers as a pure model: commits that wait for acknowledgements, receivers that acknowledge when they have written,
 * appliers that come later, servers that die and come back read-only. It remembers what clients were told, and judges
 * by that alone whether something went wrong.
 */
export class ModelServers {
  readonly flavour: Flavour;
  readonly nodes = new Map<string, Node>();
  readonly acknowledged = new Set<Transaction>();
  /** Cut off from every other server and from the tool; clients beside it still reach it. */
  readonly isolated = new Set<string>();
  readonly violations: string[] = [];
  balancers: BalancerTrouble = 'none';
  /** Instances that the balancers have no server for. */
  readonly unknownToBalancers = new Set<string>();
  /** Somebody has accepted that writes are lost: what was decided then may have left histories that differ. */
  isForced = false;
  /** A disk that lied has lost them, and no other disk had them. */
  readonly gone = new Set<Transaction>();
  /** A disk that lied has lost them, and others had them. */
  readonly lastCopies = new Set<Transaction>();
  /** MariaDB has deleted them with its relay log, when it was started again. */
  readonly deletedAtStart = new Set<Transaction>();
  /** A client was told OK by a primary that waited for nobody. */
  wasAsynchronous = false;
  writer: string | undefined = 'db1';
  held = false;
  memory: Memory = { ...NO_MEMORY, primary: 'db1' };
  readonly #random: () => number;

  constructor({ flavour, count, required, random }: WorldOptions) {
    this.flavour = flavour;
    this.#random = random;
    for (let number = 1; number <= count; number++) {
      const name = `db${number}`;
      this.nodes.set(name, {
        name,
        dataCentre: 'here',
        up: true,
        fenced: false,
        machine: true,
        writable: number === 1,
        stalled: false,
        source: number === 1,
        required,
        endless: true,
        fellBack: false,
        acks: true,
        executed: new Set(),
        purged: new Set(),
        pending: new Map(),
        relay: [],
        link: number === 1 ? undefined : link('db1'),
        next: 1,
        delayed: false,
        losesTail: false,
        lostTail: false,
        restarts: 0,
        lagging: false,
        copied: undefined,
        keepsReceiving: false,
      });
    }
  }

  node(name: string): Node {
    const node = this.nodes.get(name);
    if (node === undefined) throw new Error(`no ${name}`);
    return node;
  }

  all(): readonly Node[] {
    return [...this.nodes.values()];
  }

  /** What goes on without the tool: clients write, receivers receive, appliers apply. */
  live(steps: number): void {
    const all = this.all();
    for (let index = 0; index < steps; index++) {
      const node = all[Math.floor(this.#random() * all.length)] as Node;
      const kind = this.#random();
      if (kind < 0.3) this.write(node);
      else if (kind < 0.7) this.receive(node, 1 + Math.floor(this.#random() * 3));
      else if (!node.delayed && (!node.lagging || this.#random() < 0.1))
        this.apply(node, 1 + Math.floor(this.#random() * 2));
      this.check();
    }
  }

  /** Kill -9, or a power loss: what is in the binary log is executed when it comes back, and nobody was told. */
  crash(name: string): void {
    const node = this.node(name);
    node.up = false;
    this.endSessions(node);
    node.source = false;
    node.fellBack = false;
    node.writable = false;
  }

  restart(name: string): void {
    const node = this.node(name);
    if (node.fenced || node.up) return;
    if (node.losesTail) this.#loseTail(node);
    for (const transaction of node.pending.keys()) node.executed.add(transaction);
    node.pending.clear();
    // MariaDB begins its relay log anew when it starts with GTIDs; what it had received and not applied is fetched again.
    if (this.flavour === 'mariadb') {
      for (const transaction of node.relay) this.deletedAtStart.add(transaction);
      node.relay = [];
    }
    node.stalled = false;
    node.restarts++;
    // Replication goes on by itself at each start.
    if (node.link) Object.assign(node.link, { receiver: !node.link.lacksPurged, applier: true });
    node.up = true;
  }

  /** The last writes that it took itself are gone, and so is what nobody had acknowledged. */
  #loseTail(node: Node): void {
    node.pending.clear();
    node.lostTail = true;
    const own = [...node.executed].filter((one) => isOwn(node, one));
    for (const transaction of own.slice(-1 - Math.floor(this.#random() * 3))) {
      node.executed.delete(transaction);
      const isElsewhere = this.all().some(
        (one) => one.executed.has(transaction) || one.relay.includes(transaction),
      );
      if (!isElsewhere) this.gone.add(transaction);
      else this.lastCopies.add(transaction);
    }
  }

  /** `provision up`: settings as the inventory wants them. It turns nothing on that a primary may be without for now. */
  provision(): void {
    const required = Math.max(...this.all().map((node) => node.required));
    for (const node of this.nodes.values()) {
      if (!node.up) continue;
      Object.assign(node, { endless: true, acks: true, required });
      this.acknowledge(node);
    }
  }

  /** Could it tell a client OK, were one to write now? */
  canAcknowledge(node: Node): boolean {
    if (!node.up || !node.writable) return false;
    return !node.source || node.fellBack || this.ackers(node).length >= node.required;
  }

  everythingArrives(): void {
    for (let round = 0; round < 2 * this.nodes.size; round++) {
      for (const node of this.nodes.values()) {
        this.receive(node, Infinity);
        this.apply(node, Infinity);
      }
    }
    this.check();
  }

  reached(name: string): Node {
    const node = this.node(name);
    if (!node.up || this.isolated.has(name)) throw new Failure(`${name} does not answer`);
    return node;
  }

  /** The source that its receiver gets something from right now. */
  connected(node: Node): Node | undefined {
    if (!node.up || !node.link?.receiver) return undefined;
    const source = this.node(node.link.source);
    const isCut = this.isolated.has(node.name) || this.isolated.has(source.name);
    return source.up && !isCut ? source : undefined;
  }

  ackers(node: Node): readonly Node[] {
    return this.all().filter((other) => other.acks && this.connected(other) === node);
  }

  write(node: Node): void {
    if (!node.up || !node.writable) return;
    const transaction = `${node.name.slice(2)}:${node.next++}`;
    node.pending.set(transaction, { told: true });
    if (!node.source || node.fellBack) this.#commitAlone(node);
    else if (!node.endless && this.ackers(node).length < node.required && this.#random() < 0.5) {
      node.fellBack = true;
      this.#commitAlone(node);
    }
  }

  receive(node: Node, most: number): void {
    const source = this.connected(node);
    if (source === undefined || node.link === undefined) return;
    const missing: Transaction[] = [];
    for (const one of source.executed) if (this.#wants(node, one)) missing.push(one);
    for (const one of source.pending.keys()) if (this.#wants(node, one)) missing.push(one);
    if (missing.some((one) => source.purged.has(one)) || this.#isAhead(node, source)) {
      node.link.receiver = false;
      node.link.lacksPurged = true;
      return;
    }
    node.relay.push(...missing.slice(0, most));
    this.acknowledge(source);
  }

  /**
   * Whether it has transactions of its source that its source has lost: both flavours end the receiver with error 1236
   * (MySQL: "Replica has more GTIDs than the source has, using the source's SERVER_UUID"; MariaDB: the GTID "is not in
   * the master's binlog").
   */
  #isAhead(node: Node, source: Node): boolean {
    if (!source.lostTail) return false;
    const isAhead = (one: Transaction): boolean =>
      isOwn(source, one) && !source.executed.has(one) && !source.pending.has(one);
    return [...node.executed].some(isAhead) || node.relay.some(isAhead);
  }

  /**
   * Who is opened without the last writes that its disk has lost, while nobody who has them answers, has lost them: no
   * tool could know of them.
   */
  open(node: Node): void {
    const answering = this.all().filter(
      (one) => one.up && one.copied === undefined && !this.isolated.has(one.name),
    );
    for (const transaction of this.lastCopies)
      if (!answering.some((one) => one.executed.has(transaction) || one.relay.includes(transaction)))
        this.gone.add(transaction);
    node.writable = true;
  }

  /**
   * A receiver asks for what its server does not have. MySQL's leaves out what bears its own server_id
   * (replicate_same_server_id is off), so a server that was set back never gets its own transactions again.
   */
  #wants(node: Node, transaction: Transaction): boolean {
    if (node.executed.has(transaction) || node.pending.has(transaction) || node.relay.includes(transaction))
      return false;
    return this.flavour === 'mariadb' || !isOwn(node, transaction);
  }

  apply(node: Node, most: number): void {
    if (!node.up || !node.link?.applier) return;
    for (const transaction of node.relay.splice(0, most)) node.executed.add(transaction);
  }

  acknowledge(node: Node): void {
    if (!node.up) return;
    const ackers = this.ackers(node);
    for (const [transaction, { told }] of node.pending) {
      const having = ackers.filter((one) => one.executed.has(transaction) || one.relay.includes(transaction));
      if (having.length < node.required) return;
      node.pending.delete(transaction);
      node.executed.add(transaction);
      if (told) this.acknowledged.add(transaction);
    }
  }

  /** All who wait are told OK, whether anybody has it or not. */
  release(node: Node): void {
    for (const [transaction, { told }] of node.pending) {
      node.executed.add(transaction);
      if (told) this.acknowledged.add(transaction);
    }
    node.pending.clear();
  }

  #commitAlone(node: Node): void {
    this.wasAsynchronous = true;
    this.release(node);
  }

  endSessions(node: Node): void {
    for (const pending of node.pending.values()) pending.told = false;
  }

  check(): void {
    const able = this.all().filter((node) => this.canAcknowledge(node));
    if (able.length > 1)
      this.violations.push(`${able.map((node) => node.name).join(' and ')} can both acknowledge`);
  }
}

/** Whether the instance wrote it itself. */
export function isOwn(node: Node, transaction: Transaction): boolean {
  return transaction.startsWith(`${node.name.slice(2)}:`);
}

/** How long a server of the model has run. */
export function uptimeOf({ restarts }: Node): number {
  return 1_000_000 - 1000 * restarts;
}

export function startOf(node: Node): number {
  return NOW - uptimeOf(node) * 1000;
}

/** A link as it is right after CHANGE REPLICATION SOURCE and START REPLICA. */
export function link(source: string): Link {
  return { source, receiver: true, applier: true, lacksPurged: false };
}
