import { contains } from '../../database/gtid.ts';
import { followersOf, isFollowing, linksOf, type Links } from './links.ts';
import type { Answering, Instance, Silent, Topology } from './topology.ts';

/** What is known about the primary, from what the servers say first and from the cluster's memory second. */
export type PrimaryView =
  /** One instance answers, takes writes, and follows none. */
  | { readonly kind: 'writable'; readonly primary: Answering }
  /** The others follow it, or the memory names it. It answers and takes no writes. */
  | { readonly kind: 'read-only'; readonly primary: Answering }
  /** The server answered without its state: too many connections, access denied, still starting. It is alive. */
  | { readonly kind: 'overloaded'; readonly primary: Silent; readonly witnesses: Witnesses }
  /** We hear nothing from it, but a replica does: it is alive, and we may be the ones who are cut off. */
  | { readonly kind: 'unreachable'; readonly primary: Silent; readonly witnesses: Witnesses }
  /** Neither we nor any replica that answers hears from it, and at least one replica answers. */
  | { readonly kind: 'dead'; readonly primary: Silent; readonly witnesses: Witnesses }
  /** We hear nothing from it, and no instance answers that we could ask: we may be the ones who are cut off. */
  | { readonly kind: 'unknown'; readonly primary: Silent; readonly witnesses: Witnesses }
  /**
   * Two or more instances may take writes (those that answer, and one that only its replicas reach), or the wrong one
   * does.
   */
  | {
      readonly kind: 'several';
      readonly writable: readonly Answering[];
      readonly unreachable: Silent | undefined;
      /** The instance that the replicas and the memory agree on. */
      readonly likely: Answering | Silent | undefined;
    }
  /** No instance takes writes, follows another one, or is remembered as the primary. */
  | { readonly kind: 'none' };

/** What the replicas of a silent primary say about it, by name. */
export interface Witnesses {
  /** Replicas that heard from it within the last moments. */
  readonly connected: readonly string[];
  /** Replicas whose receiver tries to reach it and cannot. */
  readonly cutOff: readonly string[];
  /** Replicas that say nothing about it: their receiver is stopped, or they follow another instance. */
  readonly stopped: readonly string[];
  /** Replicas that do not answer. */
  readonly silent: readonly string[];
}

/** Finds the primary anew in each snapshot. The memory only decides what the servers leave open. */
export function primaryOf(topology: Topology): PrimaryView {
  return primaryAmong(topology, linksOf(topology));
}

/** Finds the primary of a snapshot whose links are derived already. */
export function primaryAmong(topology: Topology, links: Links): PrimaryView {
  const writable = topology.instances.filter(
    (instance): instance is Answering => instance.kind === 'answering' && !instance.state.readOnly,
  );
  const independent = writable.filter((instance) => !isFollowing(links, instance));
  const elected = elect(topology, links, writable);
  if (independent.length > 1) {
    return { kind: 'several', writable: independent, unreachable: undefined, likely: likely(independent) };
  }
  const [only] = independent;
  if (only) {
    const rival = topology.instances.find(
      (instance): instance is Silent => instance.kind === 'silent' && isRival(instance, only),
    );
    if (rival) {
      const isNewer = isRemembered(only) && topology.memory.unfinished === undefined;
      const isRight = isNewer && !isServing(rival, only);
      return { kind: 'several', writable: [only], unreachable: rival, likely: isRight ? only : rival };
    }
    return elected?.kind === 'answering' && isSuccessor(elected, only)
      ? { kind: 'several', writable: [only], unreachable: undefined, likely: elected }
      : { kind: 'writable', primary: only };
  }
  if (elected === undefined) return { kind: 'none' };
  const last =
    elected.kind === 'silent' || elected.state.readOnly ? lastPrimary(topology, links, elected) : undefined;
  if (last) return { kind: 'read-only', primary: last };
  if (elected.kind === 'silent') return silentPrimary(topology, links, elected);
  if (elected.state.readOnly) return { kind: 'read-only', primary: elected };
  // Every writable instance follows another one: in a ring, each takes writes.
  const ring = writable.filter(
    (instance) => reaches(links, instance, elected) && reaches(links, elected, instance),
  );
  return ring.length > 1
    ? { kind: 'several', writable: ring, unreachable: undefined, likely: likely(ring) }
    : { kind: 'writable', primary: elected };

  function likely(among: readonly Answering[]): Answering | undefined {
    // The instance that a change was to make the primary takes writes only since the point of no return.
    const meant = among.find((one) => one.spec.name === topology.memory.unfinished?.to);
    if (meant) return meant;
    const most = Math.max(...among.map((each) => supporters(each.spec.name)));
    const best = among.filter((one) => supporters(one.spec.name) === most);
    const [first] = best;
    const remembered = among.find(isRemembered);
    if (remembered === undefined) return best.length === 1 ? first : undefined;
    // The last change and its epoch say more than the number of followers: a promotion that was forced in the minority
    // is newer than the primary of the majority, unless it has written nothing that the other one lacks.
    return best.length === 1 && first !== undefined && isBeyond(first, remembered) ? first : remembered;
  }

  function isRemembered(instance: Instance): boolean {
    return instance.spec.name === topology.memory.primary;
  }

  function supporters(name: string): number {
    return followersOf(topology, links, name).filter((follower) => isFollowing(links, follower)).length;
  }

  /**
   * Whether the last change made it the primary and the others follow it: then the instance that takes writes is a
   * former primary. An instance that has everything of it is not: somebody has moved the primary by hand.
   */
  function isSuccessor(instance: Answering, than: Answering): boolean {
    const { name } = instance.spec;
    const { memory } = topology;
    return (
      instance !== than &&
      name === memory.primary &&
      memory.unfinished === undefined &&
      supporters(name) > supporters(than.spec.name) &&
      !contains(than.state.executed, instance.state.executed)
    );
  }

  /**
   * Whether an instance that only we do not hear is the primary in use: more replicas hear it than follow the other one, and
   * the balancers send writers to it alone, or those replicas have everything that the other one has, and more.
   */
  function isServing(instance: Silent, than: Answering): boolean {
    const hearing = followersOf(topology, links, instance.spec.name).filter(
      (follower) => links.get(follower.spec.name)?.state === 'hears',
    );
    if (hearing.length <= supporters(than.spec.name)) return false;
    const writers = new Set(
      topology.balancers.flatMap((balancer) => (balancer.reachable ? balancer.writers : [])),
    );
    if (writers.size > 0) return writers.has(instance.spec.host) && !writers.has(than.spec.host);
    return hearing.some((follower) => isBeyond(follower, than));
  }

  /**
   * A silent instance that replicas hear, and that the memory or most of them take for the primary; or one that the
   * last change made the primary and that replicas try to reach. Then the other one is a former primary that came back.
   */
  function isRival(instance: Silent, than: Answering): boolean {
    const { name } = instance.spec;
    const { memory } = topology;
    const active = followersOf(topology, links, name).filter((follower) => isFollowing(links, follower));
    const hearing = active.filter((follower) => links.get(follower.spec.name)?.state === 'hears').length;
    const support = supporters(than.spec.name);
    const isMeant = name === (memory.unfinished?.to ?? memory.primary);
    if (isMeant && active.length > support) return true;
    return hearing > 0 && (name === memory.primary || hearing > support);
  }
}

/** The root to which most replicas lead. Running receivers count first, then the memory, then stopped receivers. */
function elect(topology: Topology, links: Links, writable: readonly Answering[]): Instance | undefined {
  const votes = new Map<string, { instance: Instance; active: number; stopped: number }>();
  for (const name of links.keys()) {
    const { root, isStopped } = rootOf(name);
    if (root === undefined) continue;
    const vote = votes.get(root.spec.name) ?? { instance: root, active: 0, stopped: 0 };
    if (isStopped) vote.stopped++;
    else vote.active++;
    votes.set(root.spec.name, vote);
  }
  const remembered = topology.instances.find((instance) => instance.spec.name === topology.memory.primary);
  const ranked = [...votes.values()].sort(
    (a, b) =>
      b.active - a.active ||
      Number(b.instance === remembered) - Number(a.instance === remembered) ||
      b.stopped - a.stopped ||
      Number(b.instance.kind === 'answering') - Number(a.instance.kind === 'answering'),
  );
  const [first] = ranked;
  // A stopped link says less than what the last change is known to have done.
  if (first !== undefined && (first.active > 0 || remembered === undefined)) return first.instance;
  return remembered ?? (topology.instances.length === 1 ? topology.instances[0] : undefined);

  /** A replica whose receiver has stopped is still not a primary: the chain through it counts as a stopped link. */
  function rootOf(name: string): { readonly root: Instance | undefined; readonly isStopped: boolean } {
    const path = [name];
    let isStopped = links.get(name)?.state === 'stopped';
    let root = links.get(name)?.source;
    while (root !== undefined) {
      if (path.includes(root.spec.name)) {
        root = inRing(path.slice(path.indexOf(root.spec.name)));
        break;
      }
      // An instance that takes writes and has replicas is not merely a link of a chain.
      if (root.kind === 'answering' && !root.state.readOnly) break;
      const link = links.get(root.spec.name);
      if (link === undefined) break;
      if (link.state === 'stopped') {
        // The last change made it the primary, and it has not forgotten its source yet.
        if ([topology.memory.primary, topology.memory.unfinished?.to].includes(root.spec.name)) break;
        if (topology.memory.primary === undefined) break;
        isStopped = true;
      }
      path.push(root.spec.name);
      root = link.source;
    }
    return { root, isStopped };
  }

  /** A ring has no root: the instance that takes writes counts, or else the one that is remembered. */
  function inRing(names: readonly string[]): Instance | undefined {
    return (
      writable.find((instance) => names.includes(instance.spec.name)) ??
      topology.instances.find(
        (instance) => instance.spec.name === topology.memory.primary && names.includes(instance.spec.name),
      )
    );
  }
}

/**
 * A replica that was not moved still asks the former primary, and the last primary came back read-only and follows
 * none. The latter is the primary when the former one is fenced, or when it has everything that the former one has.
 */
function lastPrimary(topology: Topology, links: Links, elected: Instance): Answering | undefined {
  const { primary, unfinished, fenced } = topology.memory;
  const last = topology.instances.find(({ spec }) => spec.name === primary);
  if (last?.kind !== 'answering' || last === elected) return undefined;
  if (unfinished !== undefined || links.has(last.spec.name)) return undefined;
  if (elected.kind === 'silent') return fenced?.includes(elected.spec.name) ? last : undefined;
  const hasMore =
    contains(last.state.executed, elected.state.executed) &&
    !contains(elected.state.executed, last.state.executed);
  return hasMore ? last : undefined;
}

/** Whether one instance has everything that the other one has, and more. */
function isBeyond(one: Answering, other: Answering): boolean {
  return (
    contains(one.state.executed, other.state.executed) && !contains(other.state.executed, one.state.executed)
  );
}

function reaches(links: Links, from: Instance, to: Instance): boolean {
  const seen = new Set<string>();
  for (let at: Instance | undefined = from; at !== undefined && !seen.has(at.spec.name);) {
    if (at === to) return true;
    seen.add(at.spec.name);
    at = links.get(at.spec.name)?.source;
  }
  return false;
}

function silentPrimary(topology: Topology, links: Links, primary: Silent): PrimaryView {
  const connected: string[] = [];
  const cutOff: string[] = [];
  const stopped: string[] = [];
  const silent: string[] = [];
  for (const instance of topology.instances) {
    if (instance === primary) continue;
    const { name } = instance.spec;
    const link = links.get(name);
    if (instance.kind === 'silent') silent.push(name);
    else if (link?.source !== primary || link.state === 'stopped') stopped.push(name);
    else if (link.state === 'hears') connected.push(name);
    else cutOff.push(name);
  }
  const witnesses: Witnesses = { connected, cutOff, stopped, silent };
  if (primary.silence.alive) return { kind: 'overloaded', primary, witnesses };
  if (connected.length > 0) return { kind: 'unreachable', primary, witnesses };
  return cutOff.length + stopped.length > 0
    ? { kind: 'dead', primary, witnesses }
    : { kind: 'unknown', primary, witnesses };
}
