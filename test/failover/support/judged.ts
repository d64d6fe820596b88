import type { Node, Transaction } from './servers.ts';
import type { World } from './world.ts';

/**
 * The model's own judgement, from what really is on its disks and not from what anybody said: why a change of the
 * primary may be refused. Undefined: it is possible, and every acknowledged write is proved to be kept.
 */
export function judged(
  world: World,
  old: string,
  start: 'switchover' | 'crash' | 'partition' | 'given-up',
): string | undefined {
  const replicas = world.all().filter((node) => node.name !== old);
  const healthy = replicas.filter((node) => isHealthy(world, node));
  if (healthy.length === 0) return 'nobody is healthy';
  if (start === 'switchover') {
    // Who is below another replica gets the last writes by way of that one: the tool asks for `relocate` first. An applier
    // that somebody has stopped has a reason while the primary lives.
    const direct = healthy.filter(
      (node) => world.connected(node)?.name === old && node.link?.applier === true,
    );
    if (direct.length === 0) return 'no healthy one follows it';
    return world.ackers(world.node(old)).length < world.node(old).required
      ? 'its commits wait for an acknowledgement'
      : undefined;
  }
  const primary = world.node(old);
  if (world.wasAsynchronous) return 'it did not wait for acknowledgements';
  // Nobody sees a fall back to asynchronous that comes after the last look.
  if (!primary.endless) return 'it may have fallen back';
  const others = healthy.map((node) => new Set([...node.executed, ...node.relay]));
  const isHeldByOthers = (held: ReadonlySet<Transaction>): boolean =>
    [...held].every((one) => others.some((other) => other.has(one)));
  const unreached = replicas.filter(
    (node) =>
      !node.fenced &&
      (!node.up ||
        (node.copied !== undefined && !isHeldByOthers(node.copied.held)) ||
        world.isolated.has(node.name) ||
        // Nobody sees what a receiver that does not stop acknowledges after the look.
        node.keepsReceiving ||
        // MariaDB deletes the relay log at its start, and nobody can say afterwards whether something was in it.
        (world.flavour === 'mariadb' && node.restarts > 0)),
  );
  if (unreached.length >= primary.required) return 'too few of those who acknowledge can be reached';
  const all = new Set(replicas.flatMap((node) => (node.up ? [...node.executed, ...node.relay] : [])));
  const givers = healthy.flatMap((node) => [...node.executed, ...node.relay]);
  if ([...world.acknowledged].some((one) => !givers.includes(one)))
    return 'acknowledged writes are out of reach';
  // Whether it was acknowledged, nobody can tell who sees it on one instance only.
  if ([...all].some((one) => !givers.includes(one)))
    return 'only one that is not healthy has the last writes';
  return undefined;
}

/**
 * Whether it could be the next primary within the time of a failover. An applier that was stopped is started, except
 * where MariaDB would delete the relay log at that (`START SLAVE` with neither thread running).
 */
export function isHealthy(world: World, node: Node): boolean {
  const { link } = node;
  const losesAtStart = world.flavour === 'mariadb' && link?.receiver === false && node.relay.length > 0;
  return (
    node.up &&
    node.copied === undefined &&
    !world.isolated.has(node.name) &&
    !node.delayed &&
    !node.lagging &&
    !node.keepsReceiving &&
    link !== undefined &&
    !link.lacksPurged &&
    (link.applier || !losesAtStart) &&
    // Only somebody who names it promotes one in another data centre.
    node.dataCentre === 'here'
  );
}

/**
 * What is not as it should be, when nothing is wrong any more outside: no machine without power, no full disk, no
 * network that is cut. Empty: one primary takes writes and waits for its acknowledgements, the balancers write to it,
 * and all others follow it.
 */
export function ailments(world: World): readonly string[] {
  const found: string[] = [];
  const writable = world.all().filter((node) => node.writable);
  const [primary] = writable;
  if (world.memory.unfinished !== undefined) found.push('a change is not finished');
  if (primary === undefined || writable.length > 1) {
    return [...found, `${writable.length} take writes${namesIn(writable)}`];
  }
  if (world.writer !== primary.name) found.push(`the balancers write to ${world.writer}`);
  if (world.held) found.push('writers are held');
  if (!primary.source || primary.fellBack) found.push(`${primary.name} does not wait for acknowledgements`);
  if (!primary.endless) found.push(`${primary.name} may stop waiting for acknowledgements`);
  if (world.ackers(primary).length < primary.required) found.push(`writes on ${primary.name} wait`);
  for (const node of world.nodes.values())
    if (node !== primary) found.push(...ailmentsOf(world, node, primary));
  return found;
}

function ailmentsOf(world: World, node: Node, primary: Node): readonly string[] {
  const { name, link } = node;
  if (!node.up) return [`${name} is down`];
  const found: string[] = [];
  if (!link?.receiver || !link.applier) found.push(`${name} does not follow`);
  else if (rootOf(world, node) !== primary) found.push(`${name} was left below ${link.source}`);
  // What the primary sends before it commits, a replica may have applied already.
  const own = [...node.executed].filter((one) => !primary.executed.has(one) && !primary.pending.has(one));
  if (own.length > 0) found.push(`${name} alone has ${own.join(' ')}`);
  if ([...primary.purged].some((one) => !node.executed.has(one) && !node.relay.includes(one)))
    found.push(`${name} needs what ${primary.name} has purged`);
  if (node.source) found.push(`${name} waits for acknowledgements`);
  if (!node.acks) found.push(`${name} does not acknowledge`);
  return found;
}

/**
 * The acknowledged writes that the primary does not have and the tool could have kept. Two disks that lose the same write,
 * one because it lies and one because MariaDB deletes its relay log at its start, are not among them; nor is the only
 * disk that had it, where the primary waited for nobody.
 */
export function lostWrites(world: World, primary: Node): readonly Transaction[] {
  const isOnDisk = (one: Transaction): boolean =>
    world.all().some((node) => node.executed.has(one) || node.relay.includes(one) || node.pending.has(one));
  return [...world.acknowledged].filter((one) => {
    if (primary.executed.has(one)) return false;
    const isGone =
      world.gone.has(one) || (world.lastCopies.has(one) && world.deletedAtStart.has(one) && !isOnDisk(one));
    return !isGone;
  });
}

/** Who is at the top of its chain. */
function rootOf(world: World, node: Node): Node {
  let at = node;
  for (let hops = 0; hops < world.nodes.size && !at.writable && at.link; hops++)
    at = world.node(at.link.source);
  return at;
}

function namesIn(nodes: readonly Node[]): string {
  return nodes.length === 0 ? '' : `: ${nodes.map(({ name }) => name).join(' ')}`;
}
