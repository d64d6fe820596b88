import { setTimeout as wait } from 'node:timers/promises';

import { type FaultName, FAULTS } from '../../../src/failover/drill/faults.ts';
import { specOf } from '../../../src/failover/drill/ground.ts';
import { service } from '../../../src/failover/drill/look.ts';
import { type MakeRound, nothing, type Round, type Setting } from './round.ts';

/* Faults of instances and of their machines; the watch does what there is to do. */

export const ofPrimary: MakeRound = (setting) =>
  onInstance(
    setting,
    setting.random.pick<FaultName>([
      'kill',
      'kill',
      'stop',
      'hang',
      'power',
      'freeze',
      'isolate',
      'cut',
      'replication-cut',
    ]),
    setting.primary,
    1,
  );

export const ofReplica: MakeRound = (setting) =>
  onInstance(
    setting,
    setting.random.pick<FaultName>(['kill', 'hang', 'power', 'freeze', 'isolate', 'replication-cut']),
    setting.random.pick(setting.replicas),
    0,
  );

function onInstance({ site, random }: Setting, fault: FaultName, instance: string, changes: number): Round {
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

/** It is over while the others make up their minds, or in the middle of a failover. */
export const brief: MakeRound = ({ site, primary, random }) => {
  const fault = random.pick<FaultName>(['hang', 'freeze', 'isolate', 'cut', 'replication-cut']);
  const ms = random.between(500, fault === 'replication-cut' ? 25_000 : 7000);
  return {
    kind: `${fault} of the primary ${primary} for ${(ms / 1000).toFixed(1)} s`,
    changes: 1,
    act: async (stage) => {
      await FAULTS[fault].cause(site, primary);
      stage.mark();
      await wait(ms);
      await FAULTS[fault].heal(site, primary);
      await site.ground.lab?.heal();
      await stage.accepted();
    },
    heal: async () => await FAULTS[fault].heal(site, primary),
  };
};

export const twoAtOnce: MakeRound = ({ site, primary, replicas, random }) => {
  const { pick, between } = random;
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
};

/** The replica may be the one that is about to be promoted, and what it had received may be gone. */
export const restartInFailover: MakeRound = ({ site, primary, replicas, random }) => {
  const { pick, between } = random;
  const fault = pick<FaultName>(['kill', 'hang', 'power', 'isolate']);
  const replica = pick(replicas);
  const how = pick(['restart', 'kill --signal=KILL']);
  const ms = between(0, fault === 'kill' ? 1500 : 5000);
  return {
    kind: `${fault} of ${primary}, and ${how.split(' ')[0]} of ${replica} after ${Math.round(ms)} ms`,
    changes: 2,
    mayStandStill: true,
    act: async (stage) => {
      await FAULTS[fault].cause(site, primary);
      stage.mark();
      await wait(ms);
      const noBlock = how === 'restart' ? '--no-block ' : '';
      await site.ground.sh(specOf(site, replica).host, `systemctl ${how} ${noBlock}${service(site)} || :`);
      await wait(between(2000, 12_000));
    },
    heal: async () => await FAULTS[fault].heal(site, primary),
  };
};

export const flapping: MakeRound = ({ site, primary, random }) => {
  const { between } = random;
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
    heal: nothing,
  };
};
