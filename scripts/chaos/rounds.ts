import { setTimeout as wait } from 'node:timers/promises';

import type { DrillSite } from '../../src/commands/failover/drill-site.ts';
import type { Stage } from '../../src/failover/drill/exercise.ts';
import { type FaultName, FAULTS } from '../../src/failover/drill/faults.ts';
import { specOf } from '../../src/failover/drill/ground.ts';
import { service } from '../../src/failover/drill/look.ts';
import type { Tool } from '../../src/failover/drill/tool.ts';
import type { Random } from './random.ts';

/** One fault or mishap of an operator, and how it is taken back. */
export interface Round {
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

/** The next round, with its faults and moments chosen. */
export function makeRound(site: DrillSite, failover: Tool, primary: string, random: Random): Round {
  const { between, pick } = random;
  const replicas = site.instances.map((spec) => spec.name).filter((name) => name !== primary);
  const promote = async (to: string): Promise<void> =>
    void (await failover('promote', to, '--yes', '--json'));
  switch (pick(KINDS)) {
    case 'primary': {
      const fault = pick<FaultName>(['kill', 'kill', 'stop', 'hang', 'power', 'freeze', 'isolate', 'cut']);
      return onInstance(site, random, fault, primary, 1);
    }
    case 'replica': {
      const fault = pick<FaultName>(['kill', 'hang', 'power', 'freeze', 'isolate', 'replication-cut']);
      return onInstance(site, random, fault, pick(replicas), 0);
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
      const hosts = random.next() < 0.6 ? ['web3'] : ['web2', 'web3'];
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

function onInstance(
  site: DrillSite,
  random: Random,
  fault: FaultName,
  instance: string,
  changes: number,
): Round {
  const seconds = random.between(1, 10);
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
