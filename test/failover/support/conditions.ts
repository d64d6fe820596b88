import { heldOfPrimary } from '../../../src/failover/cluster/copies.ts';
import type { Node } from './servers.ts';
import { NOW } from './topology.ts';
import type { World } from './world.ts';

/** What may be strange about a cluster whose primary then dies, is given up, or hands over. */
export const CONDITIONS = [
  /** A replica applies an hour late on purpose, and acknowledges. */
  'delayed',
  /** The same, and it does not acknowledge. */
  'delayed-silently',
  /** A replica is minutes behind. */
  'lagging',
  /** STOP REPLICA IO_THREAD does not end on a replica. */
  'keeps-receiving',
  /** Somebody has stopped the applier of a replica by hand. */
  'applier-stopped',
  /** The replicas are already configured to wait for more acknowledgements than the primary. */
  'replicas-ask-for-more',
  /** The primary takes writes without waiting for anybody. */
  'semi-sync-off',
  /** The primary falls back to asynchronous when nobody acknowledges. */
  'falls-back',
  /** A replica was away for so long that all others have purged what it needs. */
  'stale',
  'balancer-rejects',
  /** The balancers do what they are told, and answer too late. */
  'balancer-slow',
  /** The balancers have no server for one of the replicas. */
  'balancer-lacks-one',
  /** The data of a replica are being replaced by a copy, under its own lock. */
  'being-copied',
  /** The operator has raised the limits of catching up and of a switchover to two minutes. */
  'long-limits',
  /** The old primary's machine does not answer by SSH. */
  'machine-away',
  /** The primary comes back from a crash without its last writes. */
  'loses-tail',
  /** A replica has died. */
  'silent-replica',
  /** A replica was fenced in an earlier failover, and nobody has brought it back. */
  'fenced-replica',
  /** A replica follows another replica. */
  'chain',
  /** The same, and an operator has put it there. */
  'placed-chain',
  /** The last instance is in another data centre. */
  'two-centres',
] as const;

export type Condition = (typeof CONDITIONS)[number];

/** Makes it so, on a replica of its own where it is about one. */
export function impose(world: World, condition: Condition, random: () => number): void {
  const primary = world.node('db1');
  const replicas = world.all().filter((node) => node !== primary);
  const any = replicas[Math.floor(random() * replicas.length)] as Node;
  const last = replicas.at(-1) as Node;
  switch (condition) {
    case 'delayed':
      any.delayed = true;
      return;
    case 'delayed-silently':
      any.delayed = true;
      any.acks = false;
      return;
    case 'lagging':
      any.lagging = true;
      return;
    case 'keeps-receiving':
      any.keepsReceiving = true;
      return;
    case 'applier-stopped':
      if (any.link) any.link.applier = false;
      return;
    case 'replicas-ask-for-more':
      for (const node of replicas) node.required = primary.required + 1;
      return;
    case 'semi-sync-off':
      primary.source = false;
      world.wasAsynchronous = true;
      world.release(primary);
      return;
    case 'falls-back':
      primary.endless = false;
      return;
    case 'stale':
      beStale(world, last);
      return;
    case 'balancer-rejects':
      world.balancers = 'rejects';
      return;
    case 'balancer-slow':
      world.balancers = 'slow';
      return;
    case 'balancer-lacks-one':
      world.unknownToBalancers.add(any.name);
      return;
    case 'being-copied':
      if (world.ackers(primary).length > primary.required && any.up) beginCopy(world, any);
      return;
    case 'long-limits':
      return;
    case 'machine-away':
      primary.machine = false;
      return;
    case 'loses-tail':
      primary.losesTail = true;
      return;
    case 'silent-replica':
      if (world.ackers(primary).length > primary.required) world.crash(last.name);
      return;
    case 'fenced-replica':
      if (world.ackers(primary).length <= primary.required) return;
      // That was long ago: others have had time to get all that it acknowledged.
      world.everythingArrives();
      world.crash(last.name);
      last.fenced = true;
      // It was the primary then, and follows nobody.
      last.link = undefined;
      world.memory = { ...world.memory, fenced: [last.name] };
      return;
    case 'chain':
      if (replicas.length > 2 && world.ackers(primary).length > primary.required && last.link)
        last.link.source = 'db2';
      return;
    case 'placed-chain':
      if (replicas.length <= 2 || world.ackers(primary).length <= primary.required || !last.link) return;
      last.link.source = 'db2';
      world.memory = { ...world.memory, below: { [last.name]: 'db2' } };
      return;
    case 'two-centres':
      // The model's data centres are fixed when it is made; a far one is one that the rules avoid.
      Object.assign(last, { dataCentre: 'there' });
  }
}

/** It stopped receiving when the others had still everything; they have written and purged since. */
function beStale(world: World, node: Node): void {
  if (node.link) node.link.receiver = false;
  world.live(30);
  const others = world.all().filter((other) => other !== node);
  const everywhere = [...node.executed, ...node.relay];
  for (const other of others) {
    for (const transaction of other.executed) {
      const isWanted = others.some((one) => one.up && !one.executed.has(transaction));
      if (!isWanted) other.purged.add(transaction);
    }
  }
  const lacks = others.flatMap((other) => [...other.purged]).some((one) => !everywhere.includes(one));
  if (node.link) {
    node.link.receiver = !lacks;
    node.link.lacksPurged = lacks;
  }
}

/** Its old data are thrown away before the first of the new ones arrive. */
function beginCopy(world: World, node: Node): void {
  const held = heldOfPrimary(world.observe(), node.name);
  node.copied = { held: new Set([...node.executed, ...node.relay]) };
  node.executed = new Set();
  node.purged = new Set();
  node.relay = [];
  node.link = undefined;
  world.memory = {
    ...world.memory,
    copies: {
      [node.name]: {
        by: 'somebody@desk',
        token: 'x',
        until: NOW + 86_400_000,
        ...(held === undefined ? {} : { held }),
      },
    },
  };
}

/** What ends by itself in the end: who was slow has caught up, disks have room, people have gone home. */
export function lift(world: World): void {
  world.balancers = 'none';
  world.unknownToBalancers.clear();
  // The copy was ended half way, too.
  world.memory = { ...world.memory, copies: {} };
  for (const node of world.nodes.values()) {
    node.lagging = false;
    node.delayed = false;
    node.keepsReceiving = false;
    node.stalled = false;
    node.copied = undefined;
    node.machine = true;
  }
}
