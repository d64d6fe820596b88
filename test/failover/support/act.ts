import { contains, parseGtids } from '../../../src/database/gtid.ts';
import { notation } from './say.ts';
import type { Action } from '../../../src/failover/plan/action.ts';
import {
  Failure,
  startOf,
  link,
  LONGEST_HOLD_MS,
  type Node,
  type Transaction,
  type ModelServers,
} from './servers.ts';

/** Does one action to the model's servers; throws a `Failure` where the real ones would refuse, or not end in time. */
export function act(world: ModelServers, action: Action): void {
  switch (action.do) {
    case 'hold-writers':
    case 'release-writers':
    case 'end-writers':
    case 'point-writers':
      onBalancers(world, action);
      return;
    case 'fence': {
      const node = world.node(action.instance);
      if (world.isolated.has(node.name) || !node.machine) throw new Failure(`${node.name} cannot be reached`);
      world.crash(node.name);
      node.fenced = true;
      return;
    }
    case 'unfence': {
      const node = world.node(action.instance);
      if (world.isolated.has(node.name) || !node.machine) throw new Failure(`${node.name} cannot be reached`);
      node.fenced = false;
      world.restart(node.name);
      return;
    }
    case 'hook':
      return;
    default:
      onInstance(world, world.reached(action.instance), action);
  }
}

type OnBalancers = Extract<
  Action,
  { readonly do: 'hold-writers' | 'release-writers' | 'end-writers' | 'point-writers' }
>;

function onBalancers(world: ModelServers, action: OnBalancers): void {
  if (world.balancers === 'rejects') throw new Failure('the balancers do not answer');
  switch (action.do) {
    case 'hold-writers':
      if (action.ms > LONGEST_HOLD_MS) throw new Failure(`hold ${action.ms} is rejected`);
      if (action.for !== undefined) known(world, action.for);
      world.held = true;
      break;
    case 'release-writers':
      world.held = false;
      break;
    case 'end-writers':
      if (world.writer === action.instance) world.writer = undefined;
      break;
    case 'point-writers':
      known(world, action.instance);
      world.writer = action.instance;
      world.held = false;
  }
  if (world.balancers === 'slow') throw new Failure('the balancers do not answer in time');
}

function known(world: ModelServers, name: string): void {
  if (world.unknownToBalancers.has(name)) throw new Failure(`the balancers have no server for ${name}`);
}

type OnInstance = Exclude<Action, OnBalancers | { readonly do: 'fence' | 'unfence' | 'hook' }>;

function onInstance(world: ModelServers, node: Node, action: OnInstance): void {
  switch (action.do) {
    case 'stop-receiver':
      stopReceiver(node);
      return;
    case 'confirm-stopped':
      if (node.link?.receiver === true || startOf(node) !== action.startedAt)
        throw new Failure(`${node.name} was started again`);
      return;
    case 'start-receiver':
      startThreads(world, node, { receiver: true });
      return;
    case 'start-applier':
      startThreads(world, node, { applier: true });
      return;
    case 'stop-applier':
      if (node.link) node.link.applier = false;
      return;
    case 'stop-replica':
      stopReceiver(node);
      if (node.link) node.link.applier = false;
      return;
    case 'start-replica':
      startThreads(world, node, { receiver: true, applier: true });
      return;
    case 'follow':
      follow(world, node, action.source);
      return;
    case 'forget-source':
      if (node.relay.length > 0)
        world.violations.push(`${node.name} forgets ${node.relay.length} transactions`);
      node.relay = [];
      node.link = undefined;
      return;
    case 'make-read-only':
      for (const acker of world.ackers(node)) world.receive(acker, Infinity);
      world.acknowledge(node);
      if (!node.source || node.fellBack) world.release(node);
      if (node.pending.size > 0) throw new Failure(`commits on ${node.name} wait for an acknowledgement`);
      node.writable = false;
      return;
    case 'make-writable':
      if (action.startedAt !== undefined && action.startedAt !== startOf(node))
        throw new Failure(`${node.name} was started again`);
      world.open(node);
      return;
    case 'end-sessions':
    case 'end-prepared':
    case 'run-sql':
      return;
    case 'end-clients':
      world.endSessions(node);
      return;
    case 'catch-up': {
      const other = world.reached(action.with);
      fetchAndApply(world, node, other.executed);
      if ([...other.executed].some((one) => !node.executed.has(one)))
        throw new Failure(`${node.name} has not caught up with ${other.name}`);
      const has = parseGtids(world.flavour, notation(world.flavour, node.executed));
      if (action.has !== undefined && !contains(has, parseGtids(world.flavour, action.has)))
        throw new Failure(`${node.name} has not got what ${other.name} had`);
      return;
    }
    case 'apply-backlog':
      if (mayApply(node)) world.apply(node, Infinity);
      if (node.relay.length > 0) throw new Failure(`${node.name} has not applied its backlog in time`);
      return;
    case 'semi-sync-source':
      node.source = action.on;
      node.fellBack = false;
      // This is the trap: whoever waits is told OK.
      if (!action.on) world.release(node);
      return;
    case 'await-ackers':
      if (world.ackers(node).length < action.count) throw new Failure(`too few acknowledge to ${node.name}`);
      return;
    case 'await-received': {
      const has = (name: string): boolean => {
        const other = world.reached(name);
        world.receive(other, Infinity);
        return [...node.executed, ...node.relay].every(
          (one) => other.executed.has(one) || other.relay.includes(one),
        );
      };
      if (action.on.filter(has).length < action.count)
        throw new Failure(`too few have got what ${node.name} holds`);
      return;
    }
    case 'prove':
      for (const name of action.on) world.reached(name);
      return;
    case 'clone': {
      const donor = world.reached(action.source);
      node.executed = new Set(donor.executed);
      node.purged = new Set(donor.executed);
      node.relay = [];
      node.link = undefined;
      node.lostTail = false;
      return;
    }
    case 'apply-log': {
      const of = world.node(action.of);
      if (!of.machine || of.up) throw new Failure(`the log of ${of.name} cannot be read`);
      if (world.flavour === 'mariadb' && (node.link?.receiver || node.link?.applier))
        throw new Failure(`${node.name} replicates`);
      for (const one of of.executed) node.executed.add(one);
      return;
    }
    case 'semi-sync-replica':
      node.acks = action.on;
      return;
    case 'inject-empty':
    case 'persist-read-only':
    case 'enable-events':
      return;
  }
}

function stopReceiver(node: Node): void {
  if (node.link === undefined) return;
  if (node.link.receiver && node.keepsReceiving)
    throw new Failure(`the receiver of ${node.name} does not end`);
  node.link.receiver = false;
}

/**
 * MariaDB deletes the relay log when it starts to replicate by GTID with neither thread running, and when the receiver
 * starts again: what was received and not applied is gone, and fetched from the source again.
 */
function startThreads(
  world: ModelServers,
  node: Node,
  { receiver = false, applier = false }: { readonly receiver?: boolean; readonly applier?: boolean },
): void {
  const { link: of } = node;
  if (of === undefined) return;
  const isMariadb = world.flavour === 'mariadb';
  const startsReceiver = receiver && !of.receiver;
  const neitherRuns = !of.receiver && !of.applier && (receiver || applier);
  if (isMariadb && (startsReceiver || neitherRuns)) node.relay = [];
  if (startsReceiver) of.lacksPurged = false;
  of.receiver ||= receiver;
  of.applier ||= applier;
}

function follow(world: ModelServers, node: Node, name: string): void {
  stopReceiver(node);
  const source = world.node(name);
  const ahead = [...node.executed].filter(
    (one) =>
      !source.executed.has(one) &&
      !source.pending.has(one) &&
      !source.relay.includes(one) &&
      // The source ends that receiver with error 1236.
      !world.gone.has(one),
  );
  // Who is about to be the primary fetches from another what it lacks, and keeps what is its own.
  const isNext = world.memory.unfinished?.to === node.name;
  // Before the primary hands over, the new one still receives.
  const above = world.connected(source);
  const isOnItsWay =
    above !== undefined && ahead.every((one) => above.executed.has(one) || above.pending.has(one));
  // Restarted in the middle of the change, it is refused as the new primary at this very moment.
  const isRefused = source.restarts > 0 && !source.writable && world.memory.unfinished?.to === source.name;
  // MySQL goes on where a replica has transactions of its own, and the plan says so in a note.
  const isTold = world.flavour === 'mysql' && ahead.every((one) => one.startsWith(`${node.name.slice(2)}:`));
  const isRight = isNext || isOnItsWay || isRefused || isTold || world.isForced;
  if (ahead.length > 0 && source.up && !isRight)
    world.violations.push(`${node.name} follows ${source.name}, which lacks ${ahead.join(' ')}`);
  node.relay = [];
  node.link = link(name);
}

function mayApply(node: Node): boolean {
  return !node.delayed && !node.lagging;
}

/** No further than needed: what else has been written may still be on its way. */
function fetchAndApply(
  world: ModelServers,
  node: Node,
  wanted: ReadonlySet<Transaction>,
  below: readonly Node[] = [],
): void {
  const source = node.link && world.nodes.get(node.link.source);
  if (source && world.connected(source) && !below.includes(source))
    fetchAndApply(world, source, wanted, [...below, node]);
  if (!mayApply(node)) return;
  for (let before = -1; before !== node.executed.size + node.relay.length;) {
    before = node.executed.size + node.relay.length;
    if ([...wanted].every((one) => node.executed.has(one))) return;
    world.receive(node, 1);
    world.apply(node, 1);
  }
  world.apply(node, Infinity);
}
