import { planFinish } from '../../../src/failover/plan/finish.ts';
import type { Plan } from '../../../src/failover/plan/action.ts';
import { planPromote, type PromoteWish } from '../../../src/failover/plan/promote.ts';
import { planRejoin } from '../../../src/failover/plan/rejoin.ts';
import { RISKS } from '../../../src/failover/plan/risks.ts';
import { planRepair } from '../../../src/failover/problems/repair.ts';
import type { Topology } from '../../../src/failover/cluster/topology.ts';
import { primaryOf } from '../../../src/failover/cluster/primary.ts';
import { withPrimary } from '../../../src/failover/watch/presence.ts';
import { type Problem, problems } from '../../../src/failover/problems/problems.ts';
import type { Planned } from '../../../src/failover/plan/refusals.ts';
import type { Flavour } from '../../../src/database/version.ts';
import { type Condition, impose, lift } from './conditions.ts';
import { ailments, isHealthy, judged, lostWrites } from './judged.ts';
import { type Command, commandsAfter, commandsIn, planOf } from './operator.ts';
import { planText } from './plan-text.ts';
import { type Ending, runPlan, type RunOptions } from './run-plan.ts';
import { SETTINGS } from './topology.ts';
import { World } from './world.ts';

export type Trouble =
  | 'none'
  | 'crash-old'
  | 'crash-new'
  | 'crash-two'
  | 'restart-old'
  | 'restart-any'
  | 'heal';

export interface Scenario {
  readonly seed: number;
  readonly flavour: Flavour;
  readonly count: number;
  readonly required: number;
  /** `given-up`: the primary answers and looks stalled, and its clients' writes are acknowledged all the same. */
  readonly start: 'switchover' | 'crash' | 'partition' | 'given-up';
  /** The share of the plan after which the tool is killed, a step fails, or the tool stands still. */
  readonly at: number;
  readonly how: 'killed' | 'failing' | 'suspended' | 'disturbed' | 'whole';
  readonly trouble: Trouble;
  /** What is strange about the cluster before it begins. */
  readonly conditions: readonly Condition[];
}

/** Plays a scenario to its end: the promotion, the trouble, what the watch does, everything coming back. */
export async function play(
  scenario: Scenario,
): Promise<{ readonly complaints: readonly string[]; readonly log: readonly string[] }> {
  const { flavour, count, start, trouble, conditions } = scenario;
  // With as many acknowledgements as replicas, one that is away would stop all writes for good.
  const required = Math.min(scenario.required, count - 2);
  const random = randomFrom(scenario.seed);
  const world = new World({ flavour, count, required, random });
  const log: string[] = [JSON.stringify(scenario)];
  const complaints: string[] = [];
  let seenBefore: Topology | undefined;
  /** Somebody was told that writes may be lost. */
  let isLossTold = false;
  const settings = conditions.includes('long-limits')
    ? { ...SETTINGS, catchUpTimeoutMs: 120_000, switchoverTimeoutMs: 120_000 }
    : SETTINGS;
  const between = (): void => world.live(Math.floor(random() * 6));
  world.live(20);
  // MariaDB's relay logs are known to be whole only where somebody has looked.
  if (flavour === 'mariadb' || random() < 0.5) lookOn();
  for (const condition of conditions) impose(world, condition, random);
  world.live(15);
  lookOn();
  if (start === 'crash') world.crash('db1');
  if (start === 'partition') world.isolated.add('db1');
  if (start === 'given-up') world.node('db1').stalled = true;
  world.live(10);
  const to = await promote();
  cause(trouble);
  world.live(10);
  await settle();
  // Everything comes back in the end.
  world.isolated.clear();
  lift(world);
  for (const name of world.nodes.keys()) world.restart(name);
  world.live(5);
  await settle();
  await operate();
  world.everythingArrives();
  return { complaints: [...world.violations, ...complaints, ...atTheEnd()], log };

  /** The promotion itself: of a random instance, or else of the one that the tool chooses. */
  async function promote(): Promise<string> {
    const named = `db${2 + Math.floor(random() * (count - 1))}`;
    const wish: PromoteWish = { automatic: start === 'given-up' };
    const wishes: readonly PromoteWish[] = [{ ...wish, to: named }, wish];
    for (const one of wishes) {
      const planned = planPromote(world.observe(), one, settings);
      if ('plan' in planned) {
        await run(planned.plan, cutOff(planned.plan));
        return planned.plan.to;
      }
      log.push(`refused ${one.to ?? 'anybody'}: ${describeRefusals(planned)}`);
    }
    const why = judged(world, 'db1', start);
    if (why === undefined) complaints.push('refused, although it is safe and somebody can be promoted');
    else log.push(`rightly: ${why}`);
    return named;
  }

  function cutOff(plan: Plan): Partial<RunOptions> {
    const at = Math.round(scenario.at * plan.stages.flat().length);
    switch (scenario.how) {
      case 'killed':
        return { killAfter: at };
      case 'failing':
        return { failAt: at };
      case 'suspended':
        return { suspendAt: at, meanwhile: settle };
      case 'disturbed':
        return { disturbAt: at, disturb };
      case 'whole':
        return {};
    }
  }

  /** In the middle of the plan an instance dies, and perhaps comes back. */
  function disturb(): void {
    const any = `db${1 + Math.floor(random() * count)}`;
    // A replica that is started asks its source again by itself. Where that one lives, and is given up or out of our
    // reach, it acknowledges to it until one of them is stopped: nothing of ours prevents that.
    if (start === 'given-up' || start === 'partition') return;
    const comesBack = random() < 0.7;
    log.push(`in the middle ${any} ${comesBack ? 'is restarted' : 'dies'}`);
    // A disk that lies is tried where nobody asks its server for what it has: before the change.
    world.node(any).losesTail = false;
    world.crash(any);
    if (comesBack) world.restart(any);
  }

  async function run(one: Plan, options: Partial<RunOptions>): Promise<Ending['how']> {
    log.push(
      `${one.kind} ${one.from ?? ''} -> ${one.to}: ${JSON.stringify(options)}`,
      ...one.notes.map((note) => `    # ${note}`),
      ...planText(one).map((line) => `    ${line}`),
    );
    const why = one.kind === 'failover' && one.from !== undefined ? judged(world, one.from, 'crash') : '';
    const before = new Set(world.acknowledged);
    const ending = await runPlan(world, one, { settings, random, between, ...options });
    const isTold = one.lostCount > 0 || one.notes.some((note) => note.startsWith('writes may be lost'));
    if (isTold && ending.how !== 'undone') isLossTold = true;
    if (/acknowledge writes that are lost/.test(ending.message ?? '')) isLossTold = true;
    log.push(`  ${ending.how} ${ending.to}: ${ending.message ?? ''}; ${stateOf()}`);
    const isWhole = Object.keys(options).length === 0 && one.kind === 'failover';
    // Whoever names one that is not healthy waits for it in vain.
    const chosen = one.lookAgain?.to;
    const isPossible =
      why === undefined &&
      // Where the new primary takes writes already, the balancers' answer may be all that is missing.
      one.stages.flat().some(({ irreversible }) => irreversible) &&
      // One that lives goes on giving its writes to whoever receives, until nobody does.
      !world.node(one.from ?? '').up &&
      judged(world, one.from ?? '', 'crash') === undefined &&
      (chosen === undefined || isHealthy(world, world.node(chosen))) &&
      // That one is far behind is not seen before it has a backlog; the next attempt chooses another.
      isHealthy(world, world.node(ending.to)) &&
      giversOf(one).every((name) => isHealthy(world, world.node(name)));
    if (isWhole && ending.how !== 'done' && isPossible)
      complaints.push(`${ending.how}, although it is safe and somebody can be promoted: ${ending.message}`);
    if (ending.how !== 'done' || !one.notes.includes('no acknowledged write is lost')) return ending.how;
    const fresh = world.node(ending.to);
    const lost = [...before].filter((write) => !fresh.executed.has(write));
    if (lost.length > 0) complaints.push(`"no acknowledged write is lost", but ${lost.join(' ')}`);
    return ending.how;
  }

  function stateOf(): string {
    return world
      .all()
      .map((node) => {
        const of = node.link && ` <${node.link.source}${node.link.receiver ? '' : ' off'}`;
        return `${node.name}${node.up ? '' : ' down'}${node.writable ? ' writable' : ''}${of ?? ''}`;
      })
      .join(', ');
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
      case 'restart-any': {
        const any = `db${1 + Math.floor(random() * count)}`;
        // As in `disturb`: it would acknowledge to a former primary that lives.
        if (world.all().filter((node) => node.writable).length > 1) return;
        world.crash(any);
        world.restart(any);
        return;
      }
      case 'heal':
        world.isolated.clear();
        world.restart('db1');
    }
  }

  /** The watch remembers what it has seen on the primary. */
  function lookOn(): void {
    const seen = world.observe();
    world.memory = withPrimary(world.memory, seen, seenBefore);
    seenBefore = seen;
    const view = primaryOf({ ...seen, memory: world.memory });
    if (view.kind !== 'writable' || view.primary.spec.name !== world.memory.primary) return;
    world.memory = { ...world.memory, lastSeen: view.primary.state.executed.toString() };
  }

  /** What the watch does: finish what was cut off, then repair, in the order of the table. */
  async function settle(): Promise<void> {
    const inVain: string[] = [];
    for (let round = 0; round < 20; round++) {
      lookOn();
      const topology = world.observe();
      const finish = planFinish(topology, settings);
      if (finish && 'plan' in finish) {
        await run(finish.plan, {});
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
        const other = planPromote(topology, {}, settings);
        if ('plan' in other) {
          await run(other.plan, {});
          continue;
        }
        log.push(describeRefusals(other));
        return;
      }
      const next = problems(topology, settings)
        .filter(
          (problem) =>
            problem.recovery !== undefined && inVain.filter((one) => one === keyOf(problem)).length < 3,
        )
        .map((problem): readonly [string, Planned] => [
          keyOf(problem),
          problem.recovery === 'rejoin'
            ? planRejoin(topology, { instance: problem.instance ?? '' }, settings)
            : planRepair(topology, problem, settings),
        ])
        .find(([, one]) => 'plan' in one);
      if (next === undefined || !('plan' in next[1])) return;
      // What was tried in vain is left for a while, and the next problem is looked at.
      if ((await run(next[1].plan, {})) !== 'done') inVain.push(next[0]);
    }
  }

  /**
   * What an operator does who knows nothing but what `failover status` says, and what the commands say that he types
   * because of it. Losses are accepted when there is no other way. There is always a command that leads out.
   */
  async function operate(): Promise<void> {
    const typed: string[] = [];
    for (let round = 0; round < 12 + 2 * count; round++) {
      world.everythingArrives();
      if (ailments(world).length === 0) return;
      const topology = world.observe();
      const named = problems(topology, settings).flatMap(({ remedy }) => commandsIn(remedy));
      if (!(await typeOne(topology, named, typed))) return;
      await settle();
    }
  }

  /** Types the first of these commands that is not refused, those first that force nothing. */
  async function typeOne(topology: Topology, named: readonly Command[], typed: string[]): Promise<boolean> {
    const state = ailments(world).join(', ');
    const queue = [...named];
    while (queue.length > 0) {
      queue.sort((a, b) => a.accepts.length - b.accepts.length);
      const command = queue.shift() as Command;
      const key = `${JSON.stringify(command)} ${state}`;
      // What was taken back since something had changed meanwhile is tried once more.
      if (typed.filter((one) => one === key).length === 2) continue;
      typed.push(key);
      log.push(`typed: ${JSON.stringify(command)}`);
      if (command.verb === 'provision up') {
        world.provision();
        return true;
      }
      const planned = planOf(topology, command, settings);
      if ('plan' in planned) {
        if (command.accepts.length > 0) {
          if (command.accepts.some((risk) => /lost|given up/.test(RISKS[risk]))) isLossTold = true;
          world.isForced = true;
        }
        await run(planned.plan, {});
        return true;
      }
      log.push(`refused: ${describeRefusals(planned)}`);
      queue.push(...commandsAfter(topology, command, planned.refusals, settings));
    }
    return false;
  }

  function atTheEnd(): readonly string[] {
    const found = ailments(world);
    const [primary] = world.all().filter((node) => node.writable);
    const lost = primary === undefined || isLossTold ? [] : lostWrites(world, primary);
    const all = [...(lost.length > 0 ? [`lost: ${lost.join(' ')}`] : []), ...found];
    const standing = problems(world.observe(), settings).map(
      (one) => `${one.code} ${one.message}: ${one.remedy}`,
    );
    return all.length === 0 ? [] : [...all, stateOf(), ...standing];
  }
}

function keyOf({ code, instance = '' }: Problem): string {
  return `${code} ${instance}`;
}

/** From whom the new primary was to fetch what it lacks. */
function giversOf(plan: Plan): readonly string[] {
  return plan.stages
    .flat()
    .flatMap(({ name, action }) =>
      name === 'follow-for-the-rest' && action.do === 'follow' ? [action.source] : [],
    );
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
