import { setTimeout as wait } from 'node:timers/promises';

import type { Site } from './ground.ts';
import { convergence, type Violation } from './invariants.ts';
import { type InstanceLook, lookAtAll, writable } from './look.ts';
import type { Tool } from './tool.ts';

export interface Restored {
  /** The commands that were needed: `rejoin db1`, `rejoin db1 --clone`. */
  readonly actions: readonly string[];
  /** The remaining problems. */
  readonly violations: readonly Violation[];
}

/** Neither done nor refused: somebody else holds the lock. */
const NOTHING_DONE = 'error: ';
const HARDER: readonly (readonly string[])[] = [
  [],
  ['--clone'],
  ['--clone', '--force', 'commits-wait,holds-acknowledged'],
];

/**
 * Brings a cluster back to one primary with all others following, by the failover's own commands, as an operator would
 * the next morning. The faults must have been healed.
 */
export async function restore(
  site: Site,
  failover: Tool,
  options: { readonly withinMs?: number; readonly patienceMs?: number } = {},
): Promise<Restored> {
  const { withinMs = 180_000, patienceMs = 3000 } = options;
  const until = performance.now() + withinMs;
  const actions: string[] = [];
  const run = async (...args: readonly string[]): Promise<boolean> => {
    const { status, stderr, stdout } = await failover(...args, '--yes');
    const said = status === 0 ? '' : `: ${stderr.trim() || stdout.trim()}`;
    actions.push(`${args.join(' ')}${said}`);
    return !stderr.startsWith(NOTHING_DONE);
  };
  for (;;) {
    const { violations } = await convergence(site, { withinMs: patienceMs });
    if (violations.length === 0 || performance.now() > until) return { actions, violations };
    const looks = await lookAtAll(site);
    if (writable(looks).length === 0 && looks.length > 0) await run('promote');
    const primary = followed(site, await lookAtAll(site));
    // A copy of a primary whose commits wait for a replica would wait as well: who needs none comes first.
    for (const how of primary === undefined ? [] : HARDER) {
      let isBusy = false;
      for (const name of await absent(site, primary ?? ''))
        isBusy = !(await run('rejoin', name, ...how)) || isBusy;
      // The watch may bring the instance back by itself.
      if (isBusy) break;
    }
    await wait(500);
  }
}

/** The instances that do not follow or do not acknowledge. */
async function absent(site: Site, primary: string): Promise<readonly string[]> {
  const well = (await lookAtAll(site)).filter((look) => look.isReplicating && look.semiSyncReplica);
  return site.instances
    .map((spec) => spec.name)
    .filter((name) => name !== primary && !well.some((look) => look.name === name));
}

/** The writable instance; of several (a former one that came back) the one that most others follow. */
function followed(site: Site, looks: readonly InstanceLook[]): string | undefined {
  const followers = (name: string): number => {
    const address = site.instances.find((spec) => spec.name === name)?.address;
    return looks.filter((look) => look.source === address).length;
  };
  return writable(looks)
    .map((name) => ({ name, count: followers(name) }))
    .sort((one, other) => other.count - one.count)[0]?.name;
}
