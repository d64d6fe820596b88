import type { Node } from './servers.ts';
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
    const direct = healthy.filter((node) => world.connected(node)?.name === old);
    if (direct.length === 0) return 'no healthy one follows it';
    return world.ackers(world.node(old)).length < world.node(old).required
      ? 'its commits wait for an acknowledgement'
      : undefined;
  }
  const primary = world.node(old);
  if (world.wasAsynchronous) return 'it did not wait for acknowledgements';
  if (!primary.endless) return 'it may have fallen back';
  const unreached = replicas.filter(
    (node) =>
      !node.fenced &&
      (!node.up ||
        world.isolated.has(node.name) ||
        node.keepsReceiving ||
        // It has deleted its relay log.
        (world.flavour === 'mariadb' && node.restarts > 0)),
  );
  if (unreached.length >= primary.required) return 'too few of those who acknowledge can be reached';
  const all = new Set(replicas.flatMap((node) => (node.up ? [...node.executed, ...node.relay] : [])));
  const givers = healthy.flatMap((node) => [...node.executed, ...node.relay]);
  if ([...world.acknowledged].some((one) => !givers.includes(one)))
    return 'acknowledged writes are out of reach';
  if ([...all].some((one) => !givers.includes(one)))
    return 'only one that is not healthy has the last writes';
  return undefined;
}

export function isHealthy(world: World, node: Node): boolean {
  return (
    node.up &&
    !world.isolated.has(node.name) &&
    !node.delayed &&
    !node.lagging &&
    !node.keepsReceiving &&
    !node.link?.lacksPurged &&
    node.link?.applier === true &&
    node.dataCentre === 'here'
  );
}
