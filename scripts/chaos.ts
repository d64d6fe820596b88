// Random faults on a lab under a checked writer: npm run chaos -- --minutes 60 --seed 7 [--flavour mariadb] [--name LAB]
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { type DrillSite, drillSite } from '../src/commands/failover/drill-site.ts';
import { exercise, type ExerciseReport, type Stage } from '../src/failover/drill/exercise.ts';
import { type FaultName, FAULTS } from '../src/failover/drill/faults.ts';
import { specOf } from '../src/failover/drill/ground.ts';
import { convergence } from '../src/failover/drill/invariants.ts';
import { primaryName, service } from '../src/failover/drill/look.ts';
import { restore } from '../src/failover/drill/restore.ts';
import { makeTool, type Tool } from '../src/failover/drill/tool.ts';
import { describe, makeTable } from '../src/failover/drill/writer.ts';
import { down, up } from '../src/lab/lab.ts';
import { buildDrill } from './build-drill.ts';
import { ensureNode, ROOT, runCommand } from './common.ts';

ensureNode();

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string' },
    flavour: { type: 'string', default: 'mysql' },
    name: { type: 'string', default: 'test-chaos' },
    keep: { type: 'boolean', default: false },
    provisioned: { type: 'boolean', default: false },
  },
});
const SEED = Number(options.seed ?? Date.now() % 1_000_000);
const EXTRA = options.flavour === 'mariadb' ? ['-e', 'mysql_flavour=mariadb'] : [];
const NAME = options.name;
const INVENTORY = join(ROOT, 'inventory', NAME);
const PER_SECOND = 90;

const say = (line: string): void =>
  void process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);

/** Mulberry32: the same seed gives the same faults in the same order; the moments are the machine's. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const random = randomFrom(SEED);
const between = (least: number, most: number): number => least + random() * (most - least);
function pick<Value>(values: readonly Value[]): Value {
  const value = values[Math.floor(random() * values.length)];
  if (value === undefined) throw new Error('nothing to choose from');
  return value;
}

interface Round {
  readonly kind: string;
  /** How often the primary may change: each command and the watch once, and once more to finish or take back. */
  readonly changes: number;
  /** A primary whose promotion needs the watch's leave: somebody acknowledges before. */
  act(stage: Stage): Promise<void>;
  heal(): Promise<void>;
  /** No write needs to be accepted before the fault is over. */
  readonly mayStandStill?: boolean;
}

/** What may happen in a round; the weights are how often a name is listed. */
const KINDS = [
  'primary',
  'primary',
  'primary',
  'replica',
  'switchover',
  'switchover',
  'killed-tool',
  'killed-tool',
  'two-operators',
  'promote-while',
  'balancer',
  'observer',
  'double',
  'etcd',
  'flapping',
  'reboot',
] as const;

await main();

async function main(): Promise<void> {
  say(`chaos on ${options.flavour}: seed ${SEED}, ${options.minutes} minutes, lab ${NAME}`);
  await buildDrill();
  if (!options.provisioned) {
    await up({ name: NAME, report: (step) => say(`lab: ${step}`) });
    const provision = [process.execPath, join(ROOT, 'src/bin/provision.ts')];
    const status = await runCommand([...provision, 'up', '-i', INVENTORY, '--yes', ...EXTRA]);
    if (status !== 0) throw new Error(`provision up ended with ${status}`);
  }
  const variables = new Map(options.flavour === 'mariadb' ? [['mysql_flavour', 'mariadb']] : []);
  const site = await drillSite(INVENTORY, variables);
  const failover = makeTool(
    [process.execPath, join(ROOT, 'src/bin/failover.ts')],
    ['-i', INVENTORY, ...EXTRA],
    ROOT,
  );
  await failover('resume');
  const rounds: { readonly kind: string; readonly report: ExerciseReport }[] = [];
  const until = Date.now() + Number(options.minutes) * 60_000;
  const interrupted = new AbortController();
  process.once('SIGINT', () => {
    interrupted.abort();
    say('interrupted: this round is ended and restored');
  });
  while (Date.now() < until && !interrupted.signal.aborted) {
    const number = rounds.length + 1;
    const outcome = await playRound(site, failover, number);
    if ('error' in outcome) {
      await violated(site, failover, number, outcome.kind, [outcome.error]);
      break;
    }
    rounds.push(outcome);
    if (outcome.report.violations.length > 0) {
      const messages = outcome.report.violations.map(({ invariant, message }) => `${invariant}: ${message}`);
      await violated(site, failover, number, outcome.kind, messages);
      break;
    }
  }
  summary(rounds);
  await site.ground.close();
  if (process.exitCode === undefined && !options.keep && !options.provisioned) await down({ name: NAME });
  process.exit();
}

type Played =
  | { readonly kind: string; readonly report: ExerciseReport }
  | { readonly kind: string; readonly error: string };

async function playRound(site: DrillSite, failover: Tool, number: number): Promise<Played> {
  let kind = 'preparing';
  let actions: readonly string[] = [];
  try {
    // A round's rows are of no use to the next one.
    await makeTable(site);
    const primary = await primaryName(site);
    const round = await makeRound(site, failover, primary);
    kind = round.kind;
    await failover('ack');
    const report = await exercise(site, {
      perSecond: PER_SECOND,
      // One on each app server: those on a host that dies die with it, and the others go on.
      writerHosts: site.instances.map((spec) => spec.host),
      calmMs: between(500, 2500),
      changes: round.changes,
      limitMs: 90_000,
      convergeMs: 60_000,
      act: async (stage) => {
        await round.act(stage);
        if (round.mayStandStill === true) await round.heal();
      },
      restore: async () => {
        await round.heal();
        await site.ground.lab?.heal();
        // Whatever the watch does by itself it may do: it gets time for it before an operator comes.
        actions = (await restore(site, failover, { patienceMs: 15_000 })).actions;
      },
    });
    const text = `${String(number).padStart(4)} ${kind.padEnd(44)} ${report.from}→${report.to} ${describe(report.tally)}`;
    say(`${text}${actions.length === 0 ? '' : `; ${actions.map((one) => one.split('\n')[0]).join('; ')}`}`);
    return { kind, report };
  } catch (error) {
    return { kind, error: `${(error as Error).stack ?? String(error)}\nrestoring: ${actions.join('\n')}` };
  }
}

async function makeRound(site: DrillSite, failover: Tool, primary: string): Promise<Round> {
  const replicas = site.instances.map((spec) => spec.name).filter((name) => name !== primary);
  const promote = async (to: string): Promise<void> =>
    void (await failover('promote', to, '--yes', '--json'));
  switch (pick(KINDS)) {
    case 'primary': {
      const fault = pick<FaultName>(['kill', 'kill', 'stop', 'hang', 'power', 'freeze', 'isolate', 'cut']);
      return onInstance(site, fault, primary, 1);
    }
    case 'replica': {
      const fault = pick<FaultName>(['kill', 'hang', 'power', 'freeze', 'isolate', 'replication-cut']);
      return onInstance(site, fault, pick(replicas), 0);
    }
    case 'switchover': {
      const to = pick(replicas);
      return { kind: `promote ${to}`, changes: 1, act: async () => await promote(to), heal: async () => {} };
    }
    case 'killed-tool': {
      const to = pick(replicas);
      const line = Math.floor(between(1, 45));
      return {
        kind: `promote ${to}, killed at line ${line}`,
        changes: 3,
        act: async () => {
          let lines = 0;
          await failover.killedWhen(() => ++lines === line, 'promote', to, '--yes', '--json');
          await wait(between(0, 3000));
          await failover('promote', '--yes', '--json');
        },
        heal: async () => {},
      };
    }
    case 'two-operators': {
      const delay = between(0, 800);
      return {
        kind: 'two operators promote at once',
        changes: 2,
        act: async () => {
          const [one = '', other = ''] = replicas;
          await Promise.all([promote(one), wait(delay).then(async () => await promote(other))]);
        },
        heal: async () => {},
      };
    }
    case 'promote-while': {
      const fault = pick<FaultName>(['kill', 'hang', 'power', 'freeze']);
      const to = pick(replicas);
      const delay = between(0, 1500);
      return {
        kind: `promote ${to}, and ${fault} of ${primary} after ${Math.round(delay)} ms`,
        changes: 3,
        act: async (stage) => {
          const promoting = promote(to);
          await wait(delay);
          await FAULTS[fault].cause(site, primary);
          stage.mark();
          await promoting;
          await stage.accepted();
        },
        heal: async () => await FAULTS[fault].heal(site, primary),
      };
    }
    case 'balancer': {
      const balancer = pick(['lb1', 'lb2']);
      const how = pick(['restart haproxy', 'cut its power']);
      const to = pick(replicas);
      return {
        kind: `promote ${to}, and ${how} on ${balancer}`,
        changes: 2,
        act: async (stage) => {
          const promoting = promote(to);
          await wait(between(0, 800));
          if (how === 'cut its power') await site.ground.lab?.cutPower(balancer);
          else await site.ground.sh(balancer, 'systemctl restart haproxy');
          stage.mark();
          await promoting;
          await stage.accepted();
        },
        heal: async () => {},
      };
    }
    case 'observer': {
      const balancer = pick(['lb1', 'lb2']);
      const seconds = Math.round(between(5, 15));
      return {
        kind: `${balancer} is cut from the servers for ${seconds} s`,
        changes: 0,
        act: async (stage) => {
          await site.ground.lab?.isolate(balancer, ['web1', 'web2', 'web3']);
          stage.mark();
          await wait(seconds * 1000);
          await stage.accepted();
        },
        heal: async () => {},
      };
    }
    case 'double': {
      const second = pick(replicas);
      const faults = [pick<FaultName>(['kill', 'stop']), pick<FaultName>(['kill', 'stop', 'power'])] as const;
      return {
        kind: `${faults[0]} of ${primary} and ${faults[1]} of ${second}`,
        changes: 2,
        mayStandStill: true,
        act: async (stage) => {
          await Promise.all([FAULTS[faults[0]].cause(site, primary), FAULTS[faults[1]].cause(site, second)]);
          stage.mark();
          await wait(between(2000, 12_000));
        },
        heal: async () => {
          await FAULTS[faults[1]].heal(site, second);
          await FAULTS[faults[0]].heal(site, primary);
        },
      };
    }
    case 'etcd': {
      const hosts = random() < 0.6 ? ['web3'] : ['web2', 'web3'];
      const to = pick(replicas);
      const etcd = async (verb: string): Promise<void> => {
        await Promise.all(
          hosts.map(async (host) => await site.ground.sh(host, `systemctl ${verb} etcd || :`)),
        );
      };
      return {
        kind: `etcd stopped on ${hosts.join(' and ')}, and promote ${to}`,
        changes: 1,
        act: async (stage) => {
          await etcd('stop');
          stage.mark();
          await wait(between(1000, 8000));
          await promote(to);
          await stage.accepted();
        },
        heal: async () => await etcd('start'),
      };
    }
    case 'flapping': {
      const times = Math.round(between(2, 4));
      return {
        kind: `${primary} is killed ${times} times`,
        changes: times,
        mayStandStill: true,
        act: async (stage) => {
          stage.mark();
          for (let time = 0; time < times; time++) {
            await site.ground.sh(
              specOf(site, primary).host,
              `systemctl kill --signal=KILL ${service(site)} || :`,
            );
            await wait(between(500, 6000));
          }
        },
        heal: async () => {},
      };
    }
    case 'reboot': {
      const balancer = pick(['lb1', 'lb2']);
      return {
        kind: `${balancer} loses its power`,
        changes: 0,
        act: async (stage) => {
          await site.ground.lab?.cutPower(balancer);
          stage.mark();
          await stage.accepted();
          await wait(between(1000, 6000));
          await site.ground.lab?.powerOn(balancer);
          await stage.accepted();
        },
        heal: async () => {},
      };
    }
  }
}

function onInstance(site: DrillSite, fault: FaultName, instance: string, changes: number): Round {
  const seconds = between(1, 10);
  return {
    kind: `${fault} of ${changes > 0 ? 'the primary' : 'the replica'} ${instance}`,
    changes,
    act: async (stage) => {
      await FAULTS[fault].cause(site, instance);
      stage.mark();
      await stage.accepted();
      await wait(seconds * 1000);
    },
    heal: async () => await FAULTS[fault].heal(site, instance),
  };
}

/** Keeps all that could tell why. The lab stays as it is. */
async function violated(
  site: DrillSite,
  failover: Tool,
  number: number,
  kind: string,
  messages: readonly string[],
): Promise<void> {
  process.exitCode = 1;
  say(`round ${number} (${kind}) VIOLATED:`);
  for (const message of messages) say(`  ${message}`);
  const directory = join(ROOT, 'inventory', NAME, `chaos-${SEED}-${number}`);
  await mkdir(directory, { recursive: true });
  const keep = async (name: string, work: () => Promise<string>): Promise<void> => {
    const text = await work().catch((error: unknown) => String(error));
    await writeFile(join(directory, name), site.redact(text));
  };
  await keep(
    'violations.txt',
    async () => `seed ${SEED}, round ${number}: ${kind}\n${messages.join('\n')}\n`,
  );
  await keep('status.txt', async () => (await failover('status')).stdout);
  await keep('status.json', async () => (await failover('status', '--json')).stdout);
  await keep('history.json', async () => (await failover('history', '--json', '--number', '20')).stdout);
  await keep('converged.json', async () => JSON.stringify(await convergence(site, { withinMs: 0 }), null, 2));
  for (const { host, name } of site.instances) {
    await keep(
      `${name}-log.txt`,
      async () =>
        await site.ground.sh(
          host,
          `journalctl -u ${service(site)} --no-pager -n 200; tail -n 300 /var/log/mysql/error.log 2> /dev/null || :`,
          { timeoutMs: 20_000 },
        ),
    );
  }
  for (const { name } of site.balancers)
    await keep(
      `${name}-log.txt`,
      async () =>
        await site.ground.sh(name, 'journalctl -u failover-watch -u haproxy --no-pager -n 600', {
          timeoutMs: 20_000,
        }),
    );
  say(`state, journal and logs are in ${directory}; the lab ${NAME} stays as it is`);
}

function summary(rounds: readonly { readonly kind: string; readonly report: ExerciseReport }[]): void {
  const total = (of: (report: ExerciseReport) => number): number =>
    rounds.reduce((sum, { report }) => sum + of(report), 0);
  const gaps = rounds.map(({ report }) => report.tally.gapMs).sort((one, other) => one - other);
  say('');
  say(`seed ${SEED}, ${options.flavour}: ${rounds.length} rounds`);
  say(
    `  writes accepted ${total((report) => report.tally.acknowledged)}, refused ${total((report) => report.tally.refused)}, without an answer ${total((report) => report.tally.unknown)}`,
  );
  say(
    `  longest time without an accepted write: median ${Math.round(gaps[Math.floor(gaps.length / 2)] ?? 0)} ms, worst ${Math.round(gaps.at(-1) ?? 0)} ms`,
  );
  say(`  changes of the primary: ${total((report) => report.tally.reigns.length - 1)}`);
  say(
    `  violations: ${total((report) => report.violations.length)}${process.exitCode === 1 ? ' and what stands above' : ''}`,
  );
}
