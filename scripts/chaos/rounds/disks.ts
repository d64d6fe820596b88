import { setTimeout as wait } from 'node:timers/promises';

import { type FaultName, FAULTS } from '../../../src/failover/drill/faults.ts';
import { convergence } from '../../../src/failover/drill/invariants.ts';
import { type MakeRound, relieve } from './round.ts';

/* A disk that is full or stands still. A replica gets a small one, and becomes the primary with it. */

export const primaryDisk: MakeRound = (setting) => {
  const { site, failover, replicas, random } = setting;
  const { pick, next, between } = random;
  const fault = pick<FaultName>(['stalled-disk', 'stalled-disk', 'full-disk']);
  const target = pick(replicas);
  // The primary is given up after some 15 s; at half of these times it lives again about then.
  const seconds = next() < 0.5 ? between(12, 22) : undefined;
  return {
    kind: `${fault} of the primary ${target}${seconds === undefined ? '' : ` for ${seconds.toFixed(1)} s`}`,
    changes: 1,
    prepare: async () => {
      await FAULTS[fault].prepare?.(site, target);
      const { violations } = await convergence(site, { withinMs: 60_000 });
      if (violations.length > 0) throw new Error(`${target} does not follow with its new disk`);
      const { status, stderr } = await failover('promote', target, '--yes');
      if (status !== 0) throw new Error(`promote ${target} ended with ${status}: ${stderr}`);
    },
    act: async (stage) => {
      await FAULTS[fault].cause(site, target);
      stage.mark();
      if (seconds !== undefined) {
        await wait(seconds * 1000);
        await FAULTS[fault].heal(site, target);
      }
      await stage.accepted();
      await wait(between(500, 5000));
    },
    heal: async () => await FAULTS[fault].heal(site, target),
    restore: async () => {
      await relieve(setting, target);
      await FAULTS[fault].restore?.(site, target);
    },
  };
};
