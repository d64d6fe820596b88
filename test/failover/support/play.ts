import { planFinish } from '../../../src/failover/plan/finish.ts';
import type { Plan } from '../../../src/failover/plan/action.ts';
import { planPromote, type PromoteWish } from '../../../src/failover/plan/promote.ts';
import { planRejoin } from '../../../src/failover/plan/rejoin.ts';
import { acceptable } from '../../../src/failover/plan/accept.ts';
import { riskNamed, type RiskCode } from '../../../src/failover/plan/risks.ts';
import { planRepair } from '../../../src/failover/problems/repair.ts';
import type { FailoverSettings } from '../../../src/failover/cluster/cluster.ts';
import type { Topology } from '../../../src/failover/cluster/topology.ts';
import { primaryOf } from '../../../src/failover/cluster/primary.ts';
import { withPrimary } from '../../../src/failover/watch/presence.ts';
import { type Problem, problems } from '../../../src/failover/problems/problems.ts';
import type { Planned } from '../../../src/failover/plan/refusals.ts';
import type { Flavour } from '../../../src/database/version.ts';
import { type Condition, impose, lift } from './conditions.ts';
import { isHealthy, judged } from './judged.ts';
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
    if (one.lostCount > 0 || one.notes.some((note) => /may be lost/.test(note))) isLossTold = true;
    log.push(`  ${ending.how} ${ending.to}: ${ending.message ?? ''}; ${stateOf()}`);
    const isWhole = Object.keys(options).length === 0 && one.kind === 'failover';
    // Whoever names one that is not healthy waits for it in vain.
    const chosen = one.lookAgain?.to;
    const isPossible =
      why === undefined &&
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
    const view = primaryOf(world.observe());
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
    for (let round = 0; round < 12 && !isRight(); round++) {
      const topology = world.observe();
      const named = problems(topology, settings).flatMap(({ remedy }) => commandsIn(remedy));
      const next = nextCommand(topology, named, typed);
      if (next === undefined) return;
      await run(next, {});
      await settle();
    }
  }

  function nextCommand(topology: Topology, named: readonly Command[], typed: string[]): Plan | undefined {
    const state = stateOf();
    const queue = [...named];
    while (queue.length > 0) {
      queue.sort((a, b) => a.accepts.length - b.accepts.length);
      const command = queue.shift() as Command;
      const key = `${JSON.stringify(command)} ${state}`;
      // What was taken back since something had changed meanwhile is tried once more.
      if (typed.filter((one) => one === key).length === 2) continue;
      typed.push(key);
      const planned = planOf(topology, command, settings);
      if ('plan' in planned) {
        log.push(`typed: failover ${command.verb} ${command.name ?? ''}${command.accepts.join(',')}`);
        if (command.accepts.length > 0) {
          isLossTold = true;
          world.isForced = true;
        }
        return planned.plan;
      }
      log.push(`refused ${JSON.stringify(command)}: ${describeRefusals(planned)}`);
      queue.push(...planned.refusals.flatMap(({ remedy }) => commandsIn(remedy)));
      // Where that is possible, the command says how to accept what it has refused.
      const possible = acceptable(
        (accepts) => planOf(topology, { ...command, accepts }, settings),
        command.accepts,
      );
      if ('plan' in possible.planned) {
        const accepts = [...command.accepts, ...possible.needed.map(({ risk }) => risk)];
        queue.push({ ...command, accepts });
      }
    }
    return undefined;
  }

  function isRight(): boolean {
    const writable = world.all().filter((node) => node.writable);
    return writable.length === 1 && world.memory.unfinished === undefined;
  }

  function atTheEnd(): readonly string[] {
    const found: string[] = [];
    const topology = world.observe();
    const writable = world.all().filter((node) => node.writable);
    const [primary] = writable;
    const standing = (): readonly string[] =>
      problems(topology, settings).map((one) => `${one.code} ${one.message}`);
    if (primary === undefined || writable.length > 1)
      return [`${writable.length} take writes`, ...standing()];
    const lost = [...world.acknowledged].filter((one) => !primary.executed.has(one));
    // What waited for nobody and was then lost by its server is lost by nobody's doing.
    const isLostAlone = world.wasAsynchronous && world.all().some(({ lostTail }) => lostTail);
    if (lost.length > 0 && !isLossTold && !isLostAlone) found.push(`lost: ${lost.join(' ')}`);
    if (world.writer !== primary.name) found.push(`the balancers write to ${world.writer}`);
    if (world.held) found.push('writers are held');
    for (const node of world.nodes.values()) {
      const isStale = [...primary.purged].some((one) => !node.executed.has(one));
      if (node === primary || node.link?.lacksPurged || isStale) continue;
      const own = [...node.executed].filter((one) => !primary.executed.has(one));
      // MySQL fetches nothing that bears its own server_id: a copy is needed, which nobody makes unasked.
      const needsCopy = node.lostTail && node.link === undefined;
      if (own.length === 0 && !needsCopy && (!node.link?.receiver || !node.link.applier))
        found.push(`${node.name} does not follow`);
      if (own.length === 0 && node.link && rootOf(node.name) !== primary.name)
        found.push(`${node.name} was left below ${node.link.source}`);
      if (node.source) found.push(`${node.name} waits for acknowledgements`);
    }
    if (!primary.source && !conditions.includes('semi-sync-off'))
      found.push(`${primary.name} does not wait for acknowledgements`);
    return found.length === 0 ? [] : [...found, stateOf(), ...standing()];
  }

  function rootOf(name: string): string {
    let at = name;
    for (let hops = 0; hops < count && !world.node(at).writable; hops++)
      at = world.node(at).link?.source ?? at;
    return at;
  }
}

function keyOf({ code, instance = '' }: Problem): string {
  return `${code} ${instance}`;
}

/** A command of the tool, as a remedy names it. */
interface Command {
  readonly verb: 'promote' | 'rejoin';
  readonly name: string | undefined;
  readonly accepts: readonly RiskCode[];
}

function commandsIn(remedy: string): readonly Command[] {
  return [...remedy.matchAll(/`failover (promote|rejoin)((?: [\w,-]+)*)`/g)].map(([, verb, rest = '']) => {
    const words = rest.trim().split(' ');
    return {
      verb: verb as Command['verb'],
      name: words.find((word) => /^db\d+$/.test(word)),
      accepts: words
        .flatMap((word, index) => (words[index - 1] === '--force' ? word.split(',') : []))
        .flatMap((risk) => riskNamed(risk) ?? []),
    };
  });
}

function planOf(topology: Topology, { verb, name, accepts }: Command, settings: FailoverSettings): Planned {
  return verb === 'promote'
    ? planPromote(topology, { to: name, accepts }, settings)
    : planRejoin(topology, { instance: name ?? '', accepts, byHand: true }, settings);
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
