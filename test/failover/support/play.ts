import type { Plan } from '../../../src/failover/plan/action.ts';
import { planFinish } from '../../../src/failover/plan/finish.ts';
import { planPromote } from '../../../src/failover/plan/promote.ts';
import { planRejoin } from '../../../src/failover/plan/rejoin.ts';
import { planRepair } from '../../../src/failover/problems/repair.ts';
import { primaryOf } from '../../../src/failover/cluster/primary.ts';
import { problems } from '../../../src/failover/problems/problems.ts';
import type { Planned } from '../../../src/failover/plan/refusals.ts';
import type { Flavour } from '../../../src/database/version.ts';
import { planText } from './plan-text.ts';
import { runPlan } from './run-plan.ts';
import { SETTINGS } from './topology.ts';
import { World } from './world.ts';

type Trouble = 'none' | 'crash-old' | 'crash-new' | 'crash-two' | 'restart-old' | 'heal';

export interface Scenario {
  readonly seed: number;
  readonly flavour: Flavour;
  readonly count: number;
  readonly required: number;
  readonly start: 'switchover' | 'crash' | 'partition';
  /** The share of the plan after which the tool is killed, or a step fails. */
  readonly at: number;
  readonly how: 'killed' | 'failing' | 'whole';
  readonly trouble: Trouble;
}

/** Plays a scenario to its end: the promotion, the trouble, what the watch does, everything coming back. */
export function play(scenario: Scenario): { complaints: readonly string[]; log: readonly string[] } {
  const { flavour, count, start, trouble } = scenario;
  // With as many acknowledgements as replicas, one that is away would stop all writes for good.
  const required = Math.min(scenario.required, count - 2);
  const random = randomFrom(scenario.seed);
  const world = new World({ flavour, count, required, random });
  const log: string[] = [JSON.stringify(scenario)];
  const between = (): void => world.live(Math.floor(random() * 6));
  world.live(20);
  if (random() < 0.5) lookOn();
  world.live(10);
  if (start === 'crash') world.crash('db1');
  if (start === 'partition') world.isolated.add('db1');
  world.live(10);
  const to = `db${2 + Math.floor(random() * (count - 1))}`;
  const planned = planPromote(world.observe(), { to }, SETTINGS);
  if (!('plan' in planned)) return { complaints: [describeRefusals(planned)], log };
  const { plan } = planned;
  const length = plan.stages.flat().length;
  const at = Math.round(scenario.at * length);
  const ending = run(
    plan,
    scenario.how === 'killed' ? { killAfter: at } : scenario.how === 'failing' ? { failAt: at } : {},
  );
  log.push(`=> ${ending}`);
  cause(trouble);
  world.live(10);
  settle();
  // Everything comes back in the end.
  world.isolated.clear();
  for (const name of world.nodes.keys()) world.restart(name);
  world.live(5);
  settle();
  world.everythingArrives();
  return { complaints: [...world.violations, ...complaints()], log };

  function run(one: Plan, options: { killAfter?: number; failAt?: number }): string {
    log.push(
      `${one.kind} ${one.from ?? ''} -> ${one.to}: ${JSON.stringify(options)}`,
      ...planText(one).map((line) => `    ${line}`),
    );
    const result = runPlan(world, one, { random, between, ...options });
    log.push(
      `  ${result}; ${[...world.nodes.values()].map((node) => `${node.name}${node.up ? '' : ' down'}${node.writable ? ' writable' : ''}${node.link ? ` <${node.link.source}${node.link.receiver ? '' : ' off'}` : ''}`).join(', ')}`,
    );
    return result;
  }

  function cause(what: Trouble): void {
    log.push(`trouble: ${what}`);
    switch (what) {
      case 'none':
        return;
      case 'crash-old':
        world.crash('db1');
        return;
      case 'crash-new':
        world.crash(to);
        return;
      case 'crash-two':
        world.crash(to);
        world.crash([...world.nodes.keys()].find((name) => name !== to && name !== 'db1') ?? to);
        return;
      case 'restart-old':
        world.crash('db1');
        world.restart('db1');
        return;
      case 'heal':
        world.isolated.clear();
        world.restart('db1');
    }
  }

  /** The watch remembers what it has seen on the primary. */
  function lookOn(): void {
    const view = primaryOf(world.observe());
    if (view.kind !== 'writable' || view.primary.spec.name !== world.memory.primary) return;
    world.memory = { ...world.memory, lastSeen: view.primary.state.executed.toString() };
  }

  /** What the watch does: finish what was cut off, then repair, in the order of the table. */
  function settle(): void {
    for (let round = 0; round < 20; round++) {
      lookOn();
      const topology = world.observe();
      const finish = planFinish(topology, SETTINGS);
      if (finish && 'plan' in finish) {
        run(finish.plan, {});
        continue;
      }
      if (topology.memory.unfinished && finish === undefined) {
        const view = primaryOf(topology);
        if (view.kind === 'writable') {
          const primary = view.primary.spec.name;
          world.memory = {
            ...world.memory,
            primary,
            began: world.executedOf(primary),
            unfinished: undefined,
          };
          continue;
        }
        const other = planPromote(topology, {}, SETTINGS);
        if ('plan' in other) {
          run(other.plan, {});
          continue;
        }
        log.push(describeRefusals(other));
        return;
      }
      const next = problems(topology, SETTINGS)
        .filter((problem) => problem.recovery !== undefined)
        .map((problem): Planned =>
          problem.recovery === 'rejoin'
            ? planRejoin(topology, { instance: problem.instance ?? '' }, SETTINGS)
            : planRepair(topology, problem, SETTINGS),
        )
        .find((one) => 'plan' in one);
      if (next === undefined || !('plan' in next)) return;
      run(next.plan, {});
    }
  }

  function complaints(): readonly string[] {
    const found: string[] = [];
    const topology = world.observe();
    const writable = [...world.nodes.values()].filter((node) => node.writable);
    const [primary] = writable;
    if (primary === undefined || writable.length > 1) {
      return [
        `${writable.length} take writes`,
        ...problems(topology, SETTINGS).map((one) => `${one.code} ${one.message}`),
      ];
    }
    const lost = [...world.acknowledged].filter((one) => !primary.executed.has(one));
    if (lost.length > 0) found.push(`lost: ${lost.join(' ')}`);
    if (world.writer !== primary.name) found.push(`the balancers write to ${world.writer}`);
    if (world.held) found.push('writers are held');
    for (const node of world.nodes.values()) {
      if (node === primary) continue;
      const own = [...node.executed].filter((one) => !primary.executed.has(one));
      if (own.length === 0 && (!node.link?.receiver || !node.link.applier))
        found.push(`${node.name} does not follow`);
      if (own.length === 0 && node.link && node.link.source !== primary.name)
        found.push(`${node.name} was left below ${node.link.source}`);
      if (node.source) found.push(`${node.name} waits for acknowledgements`);
    }
    if (!primary.source) found.push(`${primary.name} does not wait for acknowledgements`);
    return found.length === 0
      ? []
      : [...found, ...problems(topology, SETTINGS).map((one) => `${one.code} ${one.message}`)];
  }
}

/** Why there is no plan, in one line. */
export function describeRefusals(planned: Planned): string {
  return 'refusals' in planned
    ? planned.refusals.map(({ code, message }) => `${code}: ${message}`).join('; ')
    : '';
}

/** A small generator, so that a scenario is the same again from its seed. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
