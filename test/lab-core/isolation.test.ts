import test from 'ava';
import fc from 'fast-check';
import { addCuts, type Cut, cutsIn, faultRules, isolatedFrom } from '../../src/lab/isolation.ts';
import { DEFAULT_SERVERS, labHosts } from '../../src/lab/layout.ts';

const host = fc.constantFrom(...labHosts(DEFAULT_SERVERS).map((each) => each.name));
const peers = fc.uniqueArray(fc.constantFrom('operator', 'client', 'lb1', 'web3'), { maxLength: 3 });

function allCuts(steps: readonly (readonly [string, readonly string[]])[]): readonly Cut[] {
  let cuts: readonly Cut[] = [];
  for (const [name, from] of steps) {
    cuts = addCuts(
      cuts,
      name,
      from.filter((peer) => peer !== name),
    );
  }
  return cuts;
}

test('the cuts can be read back from the rules that make them', (t) => {
  fc.assert(
    fc.property(fc.array(fc.tuple(host, peers), { maxLength: 5 }), (steps) => {
      const cuts = allCuts(steps);
      const key = (cut: Cut): string => `${cut.host} ${cut.peer ?? ''}`;
      t.deepEqual(cutsIn(faultRules(cuts)).map(key).toSorted(), cuts.map(key).toSorted());
    }),
  );
});

test('cutting twice, from either side, is cutting once', (t) => {
  const once = addCuts([], 'web1', ['web2']);
  t.deepEqual(addCuts(once, 'web1', ['web2']), once);
  t.deepEqual(addCuts(once, 'web2', ['web1']), once);
});

test('a cut between two hosts shows on both', (t) => {
  const cuts = addCuts([], 'web1', ['web2', 'operator']);
  t.deepEqual(isolatedFrom(cuts, 'web1'), ['web2', 'operator']);
  t.deepEqual(isolatedFrom(cuts, 'web2'), ['web1']);
  t.deepEqual(isolatedFrom(cuts, 'web3'), []);
});

test('a cut from everyone says so', (t) => {
  t.deepEqual(isolatedFrom(addCuts(addCuts([], 'web1', ['web2']), 'web1', []), 'web1'), ['everyone']);
});

test('a cut drops packets in both directions', (t) => {
  const pair = faultRules(addCuts([], 'web1', ['web2']));
  t.true(pair.includes('iifname "web1-*" oifname "web2-*" drop'));
  t.true(pair.includes('iifname "web2-*" oifname "web1-*" drop'));
  const all = faultRules(addCuts([], 'web1', []));
  t.true(all.includes('iifname "web1-*" drop'));
  t.true(all.includes('oifname "web1-*" drop'));
});

test('no cuts leave no table', (t) => {
  t.deepEqual(faultRules([]).trim().split('\n').at(-1), 'delete table bridge understudy_faults');
});
