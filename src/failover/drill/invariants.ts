import { setTimeout as wait } from 'node:timers/promises';

import type { Site } from './ground.ts';
import { type InstanceLook, lookAt, lookAtAll, sql, writable, writersOf } from './look.ts';
import { reignsOf, type Write } from './write.ts';
import { storedIds } from './writer.ts';

/*
 * What must be true after every fault, checked on the machines themselves:
 * 1. every acknowledged write is on every instance;
 * 2. no two instances acknowledged at the same time;
 * 3. the cluster has converged: one primary takes writes, all others follow it;
 * 4. no instance has a transaction that the primary has not;
 * 5. semi-sync is as it should be: the primary waits, and enough replicas acknowledge;
 * 6. the writer of each balancer is the primary.
 */

export interface Expectation {
  /** How often the primary changed while the writes were made, at most. */
  readonly changes: number;
  /** How long the cluster may take to converge. */
  readonly withinMs: number;
  /** Instances that are known to be away. */
  readonly without?: readonly string[];
}

/** An invariant that does not hold. */
export interface Violation {
  readonly invariant: 'durability' | 'one-primary' | 'convergence' | 'errant' | 'semi-sync' | 'balancer';
  readonly message: string;
}

/** Waits until the cluster has converged, then checks the other invariants; returns the violations. */
export async function violations(
  site: Site,
  writes: readonly Write[],
  expected: Expectation,
): Promise<readonly Violation[]> {
  const found: Violation[] = [];
  const converged = await convergence(site, expected);
  found.push(...converged.violations);
  found.push(...overlaps(site, writes, expected.changes));
  const away = new Set(expected.without);
  const present = converged.looks.filter((look) => !away.has(look.name));
  for (const look of present) found.push(...(await missing(site, look.name, writes)));
  const primary = present.find((look) => !look.readOnly);
  if (primary) {
    for (const look of present) {
      if (look.name === primary.name) continue;
      const errant = await errantOf(site, look, primary);
      if (errant !== '')
        found.push({
          invariant: 'errant',
          message: `${look.name} has what ${primary.name} has not: ${errant}`,
        });
    }
  }
  return found;
}

/**
 * Waits until one primary takes writes, the others follow it, and both balancers point at it; returns what is missing
 * at the end.
 */
export async function convergence(
  site: Site,
  { withinMs, without = [] }: Pick<Expectation, 'withinMs' | 'without'>,
): Promise<{
  readonly looks: readonly InstanceLook[];
  readonly violations: readonly Violation[];
  readonly ms: number;
}> {
  const began = performance.now();
  for (;;) {
    const looks = await lookAtAll(site);
    const found = [...unconverged(site, looks, without), ...(await strayBalancers(site, looks))];
    const ms = performance.now() - began;
    if (found.length === 0 || ms > withinMs) return { looks, violations: found, ms };
    await wait(200);
  }
}

function unconverged(
  site: Site,
  looks: readonly InstanceLook[],
  without: readonly string[],
): readonly Violation[] {
  const found: Violation[] = [];
  const say = (invariant: Violation['invariant'], message: string): void =>
    void found.push({ invariant, message });
  const names = writable(looks);
  if (names.length !== 1) say('one-primary', `writable: ${names.join(', ') || 'nobody'}`);
  const primary = looks.find((look) => look.name === names[0]);
  const address = site.instances.find((spec) => spec.name === primary?.name)?.address;
  for (const spec of site.instances) {
    if (without.includes(spec.name)) continue;
    const look = looks.find((one) => one.name === spec.name);
    if (!look) say('convergence', `${spec.name} does not answer`);
    else if (look !== primary && !names.includes(look.name)) {
      if (look.source === undefined) say('convergence', `${look.name} follows nobody`);
      else if (look.source !== address) say('convergence', `${look.name} follows ${look.source}`);
      else if (!look.isReplicating)
        say('convergence', `${look.name} does not replicate: ${look.replicationError || 'stopped'}`);
      if (!look.semiSyncReplica) say('semi-sync', `${look.name} does not acknowledge`);
    }
  }
  if (primary) {
    const expected = site.instances.length - 1 - without.length;
    if (primary.source !== undefined) say('convergence', `the primary ${primary.name} still has a source`);
    if (!primary.semiSyncSource || !primary.semiSyncActive)
      say('semi-sync', `${primary.name} does not wait for acknowledgements`);
    if (primary.ackers < expected)
      say('semi-sync', `${primary.ackers} of ${expected} replicas acknowledge to ${primary.name}`);
  }
  return found;
}

async function strayBalancers(site: Site, looks: readonly InstanceLook[]): Promise<readonly Violation[]> {
  const [primary] = writable(looks);
  const host = site.instances.find((spec) => spec.name === primary)?.host;
  const found = await Promise.all(
    site.balancers.map(async ({ name }): Promise<Violation | undefined> => {
      try {
        const writers = await writersOf(site, name);
        if (writers.length === 1 && writers[0] === host) return undefined;
        return { invariant: 'balancer', message: `${name} writes to ${writers.join(', ') || 'nobody'}` };
      } catch (error) {
        return { invariant: 'balancer', message: `${name} does not answer: ${(error as Error).message}` };
      }
    }),
  );
  return found.flatMap((one) => one ?? []);
}

/**
 * Compares the changes of the acknowledging instance with the changes of the primary: more of them mean two primaries
 * at once.
 */
export function overlaps(site: Site, writes: readonly Write[], changes: number): readonly Violation[] {
  const good = writes
    .filter((write) => write.outcome === 'acknowledged')
    .sort((one, other) => one.endedAt - other.endedAt);
  const reigns = reignsOf(good);
  if (reigns.length - 1 <= changes) return [];
  const text = reigns.map(({ by, count, firstAt, lastAt }) => {
    const from = new Date(firstAt).toISOString().slice(11, 23);
    return `${nameOf(site, by)} ${count} (${from} for ${Math.round(lastAt - firstAt)} ms)`;
  });
  return [
    {
      invariant: 'one-primary',
      message: `writes were acknowledged in turns by ${text.slice(0, 12).join(', ')}, and the primary changed ${changes} times`,
    },
  ];
}

/** A replica may be behind: one whose disk was full looks only once a minute whether there is room again. */
async function missing(
  site: Site,
  instance: string,
  writes: readonly Write[],
): Promise<readonly Violation[]> {
  const good = writes.filter((write) => write.outcome === 'acknowledged');
  if (good.length === 0) return [];
  const until = performance.now() + 90_000;
  for (;;) {
    const stored = await storedIds(site, instance);
    const lost = good.filter((write) => !stored.has(write.id));
    if (lost.length === 0) return [];
    if (performance.now() < until) {
      await wait(300);
      continue;
    }
    const by = [...new Set(lost.map((write) => nameOf(site, write.by)))].join(', ');
    const first = lost.sort((one, other) => one.endedAt - other.endedAt)[0];
    return [
      {
        invariant: 'durability',
        message: `${lost.length} of ${good.length} acknowledged writes are not on ${instance}; acknowledged by ${by}, the first at ${new Date(first?.endedAt ?? 0).toISOString()} with id ${first?.id}`,
      },
    ];
  }
}

/** The transactions of an instance that the primary lacks. The primary is queried last, since its set only grows. */
async function errantOf(site: Site, look: InstanceLook, primary: InstanceLook): Promise<string> {
  const spec = site.instances.find((one) => one.name === primary.name);
  const own = site.instances.find((one) => one.name === look.name);
  if (!spec || !own) return '';
  const { gtid } = await lookAt(site, own);
  if (site.flavour === 'mysql')
    return (await sql(site, spec, `SELECT GTID_SUBTRACT('${gtid}', @@GLOBAL.gtid_executed);`))
      .replaceAll('\\n', '')
      .trim();
  // One domain, one writer at a time: the sequence number of the position says it.
  const { gtid: all } = await lookAt(site, spec);
  const ahead = gtid.split(',').filter((one) => sequence(one) > sequence(all));
  return ahead.join(',');
}

function sequence(gtid: string): number {
  return Number(gtid.split(',')[0]?.split('-')[2] ?? 0);
}

/** A writer knows its server by server_id, or (by HTTP) by its name. */
export function nameOf(site: Site, by: string): string {
  const found = site.instances.find((spec) => serverIdOf(spec.address) === by || spec.name === by);
  return found?.name ?? by;
}

/** The server_id that our role gives: the address as a number. */
export function serverIdOf(address: string): string {
  const parts = address.split('.').map(Number);
  return parts.length === 4 && parts.every((part) => part >= 0 && part < 256)
    ? String(parts.reduce((sum, part) => sum * 256 + part, 0))
    : '';
}
