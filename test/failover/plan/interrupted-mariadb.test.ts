import test from 'ava';

import { batches, playBatch } from '../support/scenarios.ts';

/*
 * What is promised, on a model of the servers: whatever a promotion is cut off at, and whatever the servers do meanwhile,
 * the next run comes to one primary that takes writes, with every write that a client was told OK for; there is no
 * moment in which two could tell a client OK; and no state that no command leads out of. A file for each flavour, so that
 * two processors share the work. `UNDERSTUDY_MODEL_SEED` and `UNDERSTUDY_MODEL_RUNS` choose others.
 */
for (const first of batches()) {
  test.serial(
    `whatever a promotion is cut off at, one primary with every acknowledged write comes out of it: from ${first}`,
    async (t) => {
      await playBatch(t, 'mariadb', first);
    },
  );
}
