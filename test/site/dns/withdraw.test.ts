import test from 'ava';
import fc from 'fast-check';

import type { Answer } from '../../../src/site/dns/answers.ts';
import type { SiteDns } from '../../../src/site/dns/spec.ts';
import { nameChanges, nextSightings, RETURN_MS, type Sightings } from '../../../src/site/dns/withdraw.ts';

const [ONE, TWO, ONE6, TWO6] = ['203.0.113.100', '203.0.113.101', '2001:db8::64', '2001:db8::65'] as const;
const NAME = 'www.foobar.test';
const AFTER_MS = 30_000;
const DNS: SiteDns = {
  names: [NAME],
  addresses: [ONE, TWO, ONE6, TWO6],
  ttl: 30,
  withdraw_after: AFTER_MS / 1000,
};

function answer(addresses: readonly string[], more: Partial<Answer> = {}): Answer {
  const records = addresses.map((address) => ({ address, ttl: 30 }));
  return { name: NAME, server: '10.0.0.53', status: 'NOERROR', addresses: records, caa: [], ...more };
}

const NOW = 1_000_000;
const held = (seconds = 3600) => ({ held: true, since: NOW - seconds * 1000 });
const away = (seconds = 3600) => ({ held: false, since: NOW - seconds * 1000 });
const sightings = (of: Readonly<Record<string, { held: boolean; since: number }>>): Sightings => ({
  at: NOW,
  of: new Map(Object.entries(of)),
});

interface Case {
  readonly what: string;
  readonly of: Parameters<typeof sightings>[0];
  readonly there: readonly string[];
  readonly more?: Partial<Answer>;
  readonly dns?: Partial<SiteDns>;
  /** `-` is gone, `+` is back; without any, nothing is sent. */
  readonly expected: readonly string[];
}

const CASES: readonly Case[] = [
  { what: 'all are held', of: { [ONE]: held(), [TWO]: held() }, there: [ONE, TWO], expected: [] },
  { what: 'one is away', of: { [ONE]: held(), [TWO]: away(30) }, there: [ONE, TWO], expected: [`-${TWO}`] },
  {
    what: 'one is away for less than its time',
    of: { [ONE]: held(), [TWO]: away(29) },
    there: [ONE, TWO],
    expected: [],
  },
  {
    what: 'one is away, and nothing is known of the other',
    of: { [TWO]: away() },
    there: [ONE, TWO],
    expected: [],
  },
  { what: 'nothing is known of one', of: { [ONE]: held() }, there: [ONE, TWO], expected: [] },
  { what: 'both are away', of: { [ONE]: away(), [TWO]: away() }, there: [ONE, TWO], expected: [] },
  {
    what: 'one is away, and the other one for less than its time',
    of: { [ONE]: away(5), [TWO]: away() },
    there: [ONE, TWO],
    expected: [],
  },
  {
    what: 'the last one is away',
    of: { [ONE]: held(), [TWO]: away() },
    there: [TWO],
    expected: [`-${TWO}`, `+${ONE}`],
  },
  {
    what: 'the last one is away, and the other back a moment ago',
    of: { [ONE]: held(59), [TWO]: away() },
    there: [TWO],
    expected: [],
  },
  { what: 'one is back', of: { [ONE]: held(), [TWO]: held(60) }, there: [ONE], expected: [`+${TWO}`] },
  { what: 'one is back a moment ago', of: { [ONE]: held(), [TWO]: held(59) }, there: [ONE], expected: [] },
  {
    what: 'one is away, beside an address that is none of the site’s',
    of: { [ONE]: held(), [TWO]: away() },
    there: [TWO, '198.51.100.7'],
    expected: [`-${TWO}`, `+${ONE}`],
  },
  {
    what: 'the only one of the site’s is away, beside one that is none',
    of: { [ONE]: away(), [TWO]: away() },
    there: [TWO, '198.51.100.7'],
    expected: [],
  },
  {
    what: 'one of each family is away',
    of: { [ONE]: held(), [TWO]: away(), [ONE6]: held(), [TWO6]: away() },
    there: [ONE, TWO, '2001:DB8:0::64', TWO6],
    expected: [`-${TWO6}`, `-${TWO}`],
  },
  {
    what: 'the only one of IPv6 is away',
    of: { [ONE]: held(), [TWO]: held(), [TWO6]: away() },
    there: [ONE, TWO, TWO6],
    expected: [],
  },
  { what: 'the name has no address', of: { [ONE]: held(), [TWO]: held() }, there: [], expected: [] },
  {
    what: 'the name server refuses',
    of: { [ONE]: held(), [TWO]: away() },
    there: [ONE, TWO],
    more: { status: 'SERVFAIL' },
    expected: [],
  },
  {
    what: 'nobody wants it',
    of: { [ONE]: held(), [TWO]: away() },
    there: [ONE, TWO],
    dns: { withdraw_after: undefined },
    expected: [],
  },
];

for (const { what, of, there, more, dns, expected } of CASES) {
  test(`${what}: ${expected.join(' ') || 'nothing'}`, (t) => {
    const changes = nameChanges({ ...DNS, ...dns }, sightings(of), [answer(there, more)]);
    t.deepEqual(
      changes.flatMap(({ gone, back }) => [...gone.map((one) => `-${one}`), ...back.map((one) => `+${one}`)]),
      expected,
    );
  });
}

test('an update is for exactly what was read', (t) => {
  const [change] = nameChanges(DNS, sightings({ [ONE]: held(), [TWO]: away() }), [answer([TWO, ONE6])]);
  t.deepEqual(change?.lines, [
    `prereq yxrrset ${NAME}. A ${TWO}`,
    `update delete ${NAME}. A ${TWO}`,
    `update add ${NAME}. 30 A ${ONE}`,
  ]);
});

test('after a look that came late, time begins anew', (t) => {
  const seen = new Map([[ONE, false]]);
  const first = nextSightings(undefined, seen, 0);
  t.is(nextSightings(first, seen, 20_000).of.get(ONE)?.since, 0);
  t.is(nextSightings(first, seen, 20_001).of.get(ONE)?.since, 20_001);
  t.is(nextSightings(first, new Map([[ONE, true]]), 5000).of.get(ONE)?.since, 5000);
});

test('whatever is seen, an address that may work is left, and nothing flaps', (t) => {
  const families = [
    [ONE, TWO],
    [ONE6, TWO6],
  ] as const;
  const look = fc.record({
    held: fc.dictionary(fc.constantFrom(ONE, TWO, ONE6, TWO6), fc.boolean(), { noNullPrototype: true }),
    times: fc.integer({ min: 1, max: 20 }),
    stepMs: fc.constantFrom(5000, 5000, 5000, 8000, 25_000),
  });
  fc.assert(
    fc.property(fc.array(look, { maxLength: 12 }), fc.subarray([ONE, TWO, ONE6, TWO6]), (looks, start) => {
      let records: readonly string[] = start;
      let known: Sightings | undefined;
      let now = 0;
      const changedAt = new Map<string, number>();
      for (const { held: seen, times, stepMs } of looks) {
        for (let count = 0; count < times; count++) {
          now += stepMs;
          known = nextSightings(known, new Map(Object.entries(seen)), now);
          for (const { gone, back } of nameChanges(DNS, known, [answer(records)])) {
            for (const address of [...gone, ...back]) {
              const before = changedAt.get(address) ?? -Infinity;
              t.true(now - before >= Math.min(AFTER_MS, RETURN_MS), `${address} flaps`);
              changedAt.set(address, now);
            }
            t.true(gone.every((address) => seen[address] === false));
            t.true(back.every((address) => seen[address] === true));
            records = [...records.filter((address) => !gone.includes(address)), ...back];
            const family = families.find((one) =>
              one.some((address) => [...gone, ...back].includes(address)),
            );
            t.true(
              family?.some((address) => records.includes(address) && seen[address] === true),
              'one that is held is left',
            );
          }
          t.is(nameChanges(DNS, known, [answer(records)]).length, 0, 'once is enough');
        }
      }
    }),
  );
});
