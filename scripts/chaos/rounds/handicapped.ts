import { setTimeout as wait } from 'node:timers/promises';

import { type FaultName, FAULTS } from '../../../src/failover/drill/faults.ts';
import { type HandicapName, HANDICAPS } from '../../../src/failover/drill/handicaps.ts';
import { convergence } from '../../../src/failover/drill/invariants.ts';
import { type MakeRound, promote, relieve } from './round.ts';

/** Something has been wrong with some replicas, and then the primary dies, or is moved. */
export const handicapped: MakeRound = (setting) => {
  const { site, primary, replicas, random } = setting;
  const { pick, between, next } = random;
  const possible = (Object.keys(HANDICAPS) as HandicapName[]).filter(
    (name) =>
      HANDICAPS[name].flavours.includes(site.flavour) && site.instances.length >= HANDICAPS[name].atLeast,
  );
  const name = pick(possible);
  const handicap = HANDICAPS[name];
  // One replica that is whole remains.
  const most = name === 'stale' || name === 'full-disk' ? 1 : Math.max(1, replicas.length - 1);
  const concerned = some(name === 'two-acks' ? [primary, ...replicas] : replicas, most);
  const fault =
    next() < 0.25
      ? 'promote'
      : pick<FaultName>(['kill', 'stop', 'hang', 'power', 'freeze', 'isolate', 'cut']);
  const ms = between(0, 6000);
  const to = pick(replicas);
  const what = fault === 'promote' ? `promote ${to}` : `${fault} of ${primary}`;
  return {
    kind: `${concerned.join(' and ')}: ${name}; ${what}`,
    changes: 1,
    // Of three, two acknowledgements are one too many when one is dead.
    mayStandStill: name === 'two-acks' && site.instances.length < 5,
    prepare: async () => {
      if (!handicap.prepare) return;
      for (const instance of concerned) await handicap.prepare(site, instance);
      const { violations } = await convergence(site, { withinMs: 60_000 });
      if (violations.length > 0) throw new Error(`${concerned.join(' and ')} did not come back`);
    },
    act: async (stage) => {
      for (const instance of concerned) await handicap.impose(site, instance);
      await wait(ms);
      if (fault === 'promote') {
        stage.mark();
        await promote(setting, to);
      } else {
        await FAULTS[fault].cause(site, primary);
        stage.mark();
        await wait(3000);
      }
      if (name !== 'two-acks' || site.instances.length >= 5) await stage.accepted();
      await wait(between(500, 5000));
    },
    heal: async () => {
      if (fault !== 'promote') await FAULTS[fault].heal(site, primary);
      for (const instance of concerned) await handicap.lift(site, instance);
    },
    restore: async () => {
      for (const instance of concerned) {
        if (!handicap.restore) continue;
        await relieve(setting, instance);
        await handicap.restore(site, instance);
      }
    },
  };

  function some(names: readonly string[], atMost: number): readonly string[] {
    const left = [...names];
    const count = 1 + Math.floor(next() * atMost);
    return Array.from({ length: count }, () => {
      const chosen = pick(left);
      left.splice(left.indexOf(chosen), 1);
      return chosen;
    });
  }
};
