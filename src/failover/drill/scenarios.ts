import { setTimeout as wait } from 'node:timers/promises';

import type { Stage } from './exercise.ts';
import { FAULTS, type FaultName } from './faults.ts';
import { type Site, specOf } from './ground.ts';
import { primaryName } from './look.ts';
import type { Tool } from './tool.ts';

/** A scenario of a drill: its fault, and the instances concerned. */
export interface Scenario {
  readonly name: string;
  readonly description: string;
  readonly needsLab: boolean;
  /** How often the primary changes, at most. */
  readonly changes: number;
  /** Needs a recovery: by the watch, or else by `failover promote`. */
  readonly needsRecovery: boolean;
  prepare?(context: ScenarioContext): Promise<void>;
  act(context: ScenarioContext, stage: Stage): Promise<void>;
  heal(context: ScenarioContext): Promise<void>;
  restore?(context: ScenarioContext): Promise<void>;
}

export interface ScenarioContext {
  readonly site: Site;
  readonly failover: Tool;
  /** The instance that the fault meets: the primary, unless the scenario says otherwise. */
  readonly target: string;
  /** A replica that may become the primary: not the one beside which the writer runs. */
  readonly next: string;
  readonly other: string;
}

const ON_PRIMARY: readonly FaultName[] = [
  'kill',
  'stop',
  'hang',
  'cut',
  'replication-cut',
  'power',
  'freeze',
  'isolate',
];

/** All scenarios by name. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = Object.fromEntries(
  [
    {
      name: 'switchover',
      description: 'the primary is moved to another instance while it lives',
      needsLab: false,
      changes: 1,
      needsRecovery: false,
      act: async ({ failover, next }, stage) => {
        stage.mark();
        await must(failover, 'promote', next, '--yes', '--json');
      },
      heal: async () => {},
    } satisfies Scenario,
    ...ON_PRIMARY.map((fault): Scenario => ({
      name: fault,
      description: `on the primary: ${FAULTS[fault].description}`,
      needsLab: FAULTS[fault].needsLab,
      changes: 1,
      needsRecovery: true,
      act: async ({ site, target }, stage) => {
        await FAULTS[fault].cause(site, target);
        stage.mark();
      },
      heal: async ({ site, target }) => await FAULTS[fault].heal(site, target),
    })),
    ...(['full-disk', 'stalled-disk'] as const).map((fault): Scenario => ({
      name: fault,
      description: `on the primary: ${FAULTS[fault].description}`,
      needsLab: true,
      changes: 1,
      needsRecovery: true,
      // A replica gets the small disk and becomes the primary: the primary itself must not be restarted for it.
      prepare: async ({ site, failover, target }) => {
        await FAULTS[fault].prepare?.(site, target);
        await untilReplicating(failover, target);
        await must(failover, 'promote', target, '--yes', '--json');
      },
      act: async ({ site, target }, stage) => {
        await FAULTS[fault].cause(site, target);
        stage.mark();
      },
      heal: async ({ site, target }) => await FAULTS[fault].heal(site, target),
      restore: async ({ site, target }) => await FAULTS[fault].restore?.(site, target),
    })),
    {
      name: 'acker',
      description: 'a replica that acknowledges is stopped: writes must go on with the other one',
      needsLab: false,
      changes: 0,
      needsRecovery: false,
      act: async ({ site, next }, stage) => {
        await FAULTS.stop.cause(site, next);
        stage.mark();
        await stage.accepted(10_000);
      },
      heal: async ({ site, next }) => await FAULTS.stop.heal(site, next),
    } satisfies Scenario,
    {
      name: 'balancer',
      description: 'the first balancer is stopped while the primary is moved',
      needsLab: false,
      changes: 1,
      needsRecovery: false,
      act: async ({ site, failover, next }, stage) => {
        const [balancer] = site.balancers;
        if (balancer) await site.ground.sh(balancer.name, 'systemctl stop haproxy');
        stage.mark();
        await must(failover, 'promote', next, '--yes', '--json');
      },
      heal: async ({ site }) => {
        const [balancer] = site.balancers;
        if (balancer) await site.ground.sh(balancer.name, 'systemctl start haproxy');
      },
    } satisfies Scenario,
    {
      name: 'observer',
      description: 'a balancer with its watch is cut from all servers: nobody may be promoted',
      needsLab: true,
      changes: 0,
      needsRecovery: false,
      act: async ({ site, target }, stage) => {
        const balancer = site.balancers.at(-1)?.name ?? '';
        await site.ground.lab?.isolate(
          balancer,
          site.instances.map((spec) => spec.host),
        );
        stage.mark();
        await wait(12_000);
        const primary = await primaryName(site);
        if (primary !== target) throw new Error(`${primary} was promoted`);
      },
      heal: async ({ site }) => await site.ground.lab?.heal(),
    } satisfies Scenario,
  ].map((scenario) => [scenario.name, scenario]),
);

async function untilReplicating(failover: Tool, instance: string): Promise<void> {
  for (let attempt = 0; attempt < 60; attempt++) {
    const { stdout } = await failover('status', '--json');
    const found = JSON.parse(stdout) as {
      readonly instances: readonly { readonly name: string; readonly receiver: string | null }[];
    };
    if (found.instances.some((one) => one.name === instance && one.receiver === 'on')) return;
    await wait(500);
  }
  throw new Error(`${instance} does not replicate again`);
}

async function must(failover: Tool, ...args: readonly string[]): Promise<void> {
  const ended = await failover(...args);
  if (ended.status === 0) return;
  throw new Error(
    `failover ${args.join(' ')} ended with ${ended.status}: ${ended.stderr.trim() || ended.stdout}`,
  );
}

/** Whether a watch runs on any balancer: then it recovers, and the drill only looks on. */
export async function hasWatch(site: Site): Promise<boolean> {
  const answers = await Promise.all(
    site.balancers.map(async ({ name }) =>
      (await site.ground.sh(name, 'systemctl is-active failover-watch || :').catch(() => '')).trim(),
    ),
  );
  return answers.includes('active');
}

/** The host of the writer: it carries neither the primary nor the next one. */
export function writerHost({ site, target, next }: ScenarioContext): string {
  const other = site.instances.find((spec) => spec.name !== target && spec.name !== next);
  return (other ?? specOf(site, next)).host;
}
