import test from 'ava';

import type { Problem } from '../../../src/failover/problems/problems.ts';
import { retries } from '../../../src/failover/watch/retries.ts';

const DEAD: Problem = {
  code: 'DeadPrimary',
  severity: 'critical',
  instance: 'db1',
  message: '',
  remedy: '',
  recovery: 'failover',
};

test('the first attempt keeps its entry in the journal, and all later ones in vain share a second one', (t) => {
  const held = retries();
  const used: string[] = [];
  for (let attempt = 1; attempt <= 5; attempt++) {
    const retry = held.next(DEAD);
    const id = retry?.id ?? `entry ${attempt}`;
    used.push(retry === undefined ? id : `${id} ×${retry.attempts}`);
    held.note(DEAD, { id, outcome: 'undone' });
  }
  t.deepEqual(used, ['entry 1', 'entry 2', 'entry 2 ×2', 'entry 2 ×3', 'entry 2 ×4']);
  t.is(held.next({ ...DEAD, instance: 'db2' }), undefined);
  held.note(DEAD, { id: 'entry 2', outcome: 'done' });
  t.is(held.next(DEAD), undefined, 'when it was done, the next one is another matter');
});
