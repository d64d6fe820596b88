import type { ExecutionContext } from 'ava';

import type { Flavour } from '../../../src/database/version.ts';
import { CONDITIONS } from './conditions.ts';
import { play, randomFrom, type Scenario } from './play.ts';

/** How many conditions a scenario has on average. */
const CONDITIONS_EACH = 1.5;
const RUNS = Number(process.env['UNDERSTUDY_MODEL_RUNS'] ?? 20_000);
/** The same scenarios on every machine, so that who changes something else is not stopped; others are hunted by a seed. */
const FIRST = Number(process.env['UNDERSTUDY_MODEL_SEED'] ?? 0);
/** Scenarios of one test: so many end within the time limit of a test on a slow machine, too. */
const BATCH = Math.min(2500, RUNS);

/** The seeds at which the batches begin. */
export function batches(): readonly number[] {
  return Array.from({ length: Math.ceil(RUNS / BATCH) }, (_, index) => FIRST + index * BATCH);
}

/** The scenario of a number, always the same one. */
export function scenarioOf(flavour: Flavour, seed: number): Scenario {
  const random = randomFrom(seed * 7919 + 13);
  const one = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  return {
    seed,
    flavour,
    conditions: CONDITIONS.filter(() => random() < CONDITIONS_EACH / CONDITIONS.length),
    count: one([3, 3, 4, 5, 7]),
    required: one([1, 1, 2, 3]),
    start: one(['switchover', 'crash', 'partition', 'given-up']),
    at: random(),
    how: one(['killed', 'killed', 'failing', 'suspended', 'disturbed', 'whole']),
    trouble: one([
      'none',
      'none',
      'crash-old',
      'crash-new',
      'crash-two',
      'restart-old',
      'restart-any',
      'heal',
    ]),
  };
}

/** Plays the scenarios of a batch; fails with the story of the first one that ends badly. */
export async function playBatch(t: ExecutionContext, flavour: Flavour, first: number): Promise<void> {
  t.log(`seeds from ${first} on`);
  for (let seed = first; seed < first + BATCH; seed++) {
    const { log, complaints } = await play(scenarioOf(flavour, seed));
    if (complaints.length === 0) continue;
    t.fail([...complaints, ...log.slice(0, 200)].join('\n'));
    return;
  }
  t.pass();
}
