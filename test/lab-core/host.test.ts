import test from 'ava';
import { keptCapabilities } from '../../src/lab/host.ts';

test('exactly the capabilities of the host’s first process are kept', (t) => {
  t.is(keptCapabilities('CapEff:\t000001ffffffffff\nCapBnd:\t0000000000200002\n'), '-all,+cap_1,+cap_21');
});

test('without the clock’s capability in the host there is none for who enters it', (t) => {
  const kept = keptCapabilities('CapBnd:\t000001fffdffffff\n').split(',');
  t.false(kept.includes('+cap_25'));
  t.true(kept.includes('+cap_24'));
  t.true(kept.includes('+cap_40'));
});

test('a status without capabilities is an error rather than a way in with all of them', (t) => {
  t.throws(() => keptCapabilities('Name:\tsystemd\n'));
});
