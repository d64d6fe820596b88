import test from 'ava';
import fc from 'fast-check';

import { UserError } from '../../src/lib/errors.ts';
import {
  compare,
  contains,
  count,
  type GtidRelation,
  type Gtids,
  intersect,
  isEmpty,
  parseGtids,
  subtract,
  union,
} from '../../src/mysql/gtid.ts';

const UUIDS = ['3e11fa47-71ca-11e1-9e33-c80aa9429562', '3e11fa47-71ca-11e1-9e33-c80aa9429563'];
const SOURCES = [...UUIDS, `${UUIDS[0]}:nightly`];

/** A set as a set: what the algebra is compared with. */
type Model = ReadonlySet<string>;

const models = fc
  .array(fc.tuple(fc.constantFrom(...SOURCES), fc.integer({ min: 1, max: 12 })), { maxLength: 20 })
  .map((pairs): Model => new Set(pairs.map(([source, number]) => `${source}:${number}`)));

const gtidsOf = (model: Model): Gtids => parseGtids('mysql', [...model].join(','));

const sorted = (members: Iterable<string>): readonly string[] => [...members].sort();

function modelOf(gtids: Gtids): readonly string[] {
  const members = new Set<string>();
  for (const part of gtids.toString().split(',').filter(Boolean)) {
    const [uuid = '', ...words] = part.split(':');
    let source = uuid;
    for (const word of words) {
      if (!/^\d/.test(word)) source = `${uuid}:${word}`;
      else {
        const [from = 0, to = from] = word.split('-').map(Number);
        for (let number = from; number <= to; number++) members.add(`${source}:${number}`);
      }
    }
  }
  return sorted(members);
}

test('sets of MySQL are computed as sets', (t) => {
  fc.assert(
    fc.property(models, models, (a, b) => {
      const [x, y] = [gtidsOf(a), gtidsOf(b)];
      t.deepEqual(modelOf(union(x, y)), sorted(new Set([...a, ...b])));
      t.deepEqual(modelOf(subtract(x, y)), sorted([...a].filter((one) => !b.has(one))));
      t.deepEqual(modelOf(intersect(x, y)), sorted([...a].filter((one) => b.has(one))));
      t.is(count(x), a.size);
      t.is(isEmpty(x), a.size === 0);
      t.is(
        contains(x, y),
        [...b].every((one) => a.has(one)),
      );
    }),
  );
});

test('what is printed is read again, and equal sets have one text', (t) => {
  fc.assert(
    fc.property(models, fc.infiniteStream(fc.nat()), (model, order) => {
      const gtids = gtidsOf(model);
      t.is(parseGtids('mysql', gtids.toString()).toString(), gtids.toString());
      const shuffled = [...model].map((one) => [order.next().value, one] as const).sort(([a], [b]) => a - b);
      t.is(gtidsOf(new Set(shuffled.map(([, one]) => one))).toString(), gtids.toString());
    }),
  );
});

test('sets of MySQL are read as the server and as people write them', (t) => {
  const [one = '', other = ''] = UUIDS;
  const cases: readonly (readonly [string, string])[] = [
    ['', ''],
    [`${one.toUpperCase()}:1-3:5`, `${one}:1-3:5`],
    [`${one}:1-3,\n${other}:7`, `${one}:1-3,${other}:7`],
    [` ${one} : 4 : 1-3 `, `${one}:1-4`],
    [`${one}:1-3,${one}:3-9`, `${one}:1-9`],
    [`${one}:1-3:nightly:1-2:weekly:4`, `${one}:1-3:nightly:1-2:weekly:4`],
    [`${one}:nightly:1`, `${one}:nightly:1`],
  ];
  for (const [text, canonical] of cases) t.is(parseGtids('mysql', text).toString(), canonical, text);
});

test('what is no set is refused with the reason', (t) => {
  const [one = ''] = UUIDS;
  const cases: readonly (readonly ['mysql' | 'mariadb', string, RegExp])[] = [
    ['mysql', '0-1-5', /no server UUID/],
    ['mysql', `${one}:5-2`, /ends before it begins/],
    ['mysql', `${one}:0`, /out of range/],
    ['mysql', one, /no numbers/],
    ['mysql', `${one}:1:%`, /neither a number/],
    ['mariadb', `${one}:1`, /expected DOMAIN-SERVER-NUMBER/],
    ['mariadb', '0-1', /expected DOMAIN-SERVER-NUMBER/],
  ];
  for (const [flavour, text, message] of cases)
    t.throws(() => parseGtids(flavour, text), { instanceOf: UserError, message }, text);
  t.throws(() => union(parseGtids('mysql', ''), parseGtids('mariadb', '')), {
    message: /cannot be compared/,
  });
});

test('positions of MariaDB are compared per domain and server', (t) => {
  const cases: readonly (readonly [string, string, GtidRelation])[] = [
    ['0-1-10', '0-1-10', 'equal'],
    ['0-1-12', '0-1-10', 'superset'],
    ['0-1-10,0-2-15', '0-1-10', 'superset'],
    // Server 2 was promoted at 10; server 1 had written one more that nobody got.
    ['0-1-11', '0-1-10,0-2-12', 'diverged'],
    // A copy knows its position, and not who wrote before.
    ['0-2-15', '0-1-10,0-2-15', 'equal'],
    ['0-1-10,1-1-4', '0-1-10', 'superset'],
    ['', '0-1-1', 'subset'],
  ];
  for (const [a, b, relation] of cases)
    t.is(compare(parseGtids('mariadb', a), parseGtids('mariadb', b)), relation, `${a} and ${b}`);
});

test('a difference of MariaDB names its transactions and counts them', (t) => {
  const extra = subtract(parseGtids('mariadb', '0-1-13'), parseGtids('mariadb', '0-1-10,0-2-12'));
  t.is(extra.toString(), '0-1-11..13');
  t.is(count(extra), 3);
  t.is(parseGtids('mariadb', extra.toString()).toString(), extra.toString());
  t.true(isEmpty(subtract(extra, parseGtids('mariadb', '0-1-13'))));
});

/** Histories of one domain: who wrote each number, in order, as the strict mode keeps it. */
const histories = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 20 });
const stateAfter = (writers: readonly number[], length: number): Gtids => {
  const last = new Map<number, number>();
  for (const [index, server] of writers.slice(0, length).entries()) last.set(server, index + 1);
  return parseGtids('mariadb', [...last].map(([server, number]) => `0-${server}-${number}`).join(','));
};

test('of two instances with one history of MariaDB the later contains the earlier, and lacks nothing of it', (t) => {
  fc.assert(
    fc.property(histories, fc.nat(20), fc.nat(20), (writers, one, other) => {
      const [short, long] = [
        Math.min(one, other, writers.length),
        Math.min(Math.max(one, other), writers.length),
      ];
      const [earlier, later] = [stateAfter(writers, short), stateAfter(writers, long)];
      t.true(contains(later, earlier));
      t.is(union(earlier, later).toString(), later.toString());
      t.is(contains(earlier, later), short === long);
    }),
  );
});
