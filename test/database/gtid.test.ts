import test from 'ava';
import fc from 'fast-check';

import { parseMariadbGtids } from '../../src/database/mariadb/gtid.ts';
import { UserError } from '../../src/lib/errors.ts';
import {
  ahead,
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
  upTo,
} from '../../src/database/gtid.ts';

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
    ['mysql', `x${one}:1`, /no server UUID/],
    ['mysql', `${one}0:1`, /no server UUID/],
    ['mysql', `${one}:1x`, /neither a number/],
    ['mysql', `${one}:x1-2`, /neither a number|no numbers/],
    ['mysql', `${one}:${'a'.repeat(33)}:1`, /neither a number/],
    ['mariadb', '0-1', /expected DOMAIN-SERVER-NUMBER/],
    ['mariadb', 'x0-1-5', /expected DOMAIN-SERVER-NUMBER/],
    ['mariadb', '0-1-5x', /expected DOMAIN-SERVER-NUMBER/],
    ['mariadb', '0-1-9..5', /ends before it begins/],
    ['mariadb', '0-1-99999999999999999999', /out of range/],
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
    // What a replica wrote by itself is its own, even when the primary has gone far beyond it.
    ['0-1-10,0-2-11', '0-1-60', 'diverged'],
    ['0-1-10,0-2-11', '0-1-11', 'diverged'],
    ['0-1-10,0-2-11', '0-1-10', 'superset'],
    // Another history altogether.
    ['0-2-5', '0-1-10', 'diverged'],
    // The copy was made after server 2 had been the primary, and follows 3.
    ['0-1-10,0-2-30,0-3-45', '0-3-45', 'equal'],
    ['0-1-10,0-2-30,0-3-44', '0-3-45', 'subset'],
    ['0-1-10,0-2-30,0-3-45,0-2-46', '0-3-50', 'diverged'],
  ];
  for (const [a, b, relation] of cases)
    t.is(compare(parseGtids('mariadb', a), parseGtids('mariadb', b)), relation, `${a} and ${b}`);
});

test('sets of MariaDB are written by domain and server, and as a position by the last of each domain', (t) => {
  const cases: readonly (readonly [text: string, canonical: string, position: string])[] = [
    ['', '', ''],
    ['10-1-5', '10-1-5', '10-1-5'],
    ['10-2-7,0-3-4,10-1-9,0-1-6', '0-1-6,0-3-4,10-1-9,10-2-7', '10-1-9,0-1-6'],
    ['0-12-3', '0-12-3', '0-12-3'],
  ];
  for (const [text, canonical, position] of cases) {
    const gtids = parseMariadbGtids(text);
    t.is(gtids.toString(), canonical);
    t.is(JSON.stringify({ gtids }), JSON.stringify({ gtids: canonical }));
    t.deepEqual(gtids.position().split(',').sort(), position.split(',').sort());
  }
});

test('a difference of MariaDB names its transactions and counts them', (t) => {
  const extra = subtract(parseGtids('mariadb', '0-1-13'), parseGtids('mariadb', '0-1-10,0-2-12'));
  t.is(extra.toString(), '0-1-11..13');
  t.is(count(extra), 3);
  t.is(parseGtids('mariadb', extra.toString()).toString(), extra.toString());
  t.true(isEmpty(subtract(extra, parseGtids('mariadb', '0-1-13'))));
});

test('of a difference nothing is lost when another one is taken away', (t) => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['0-1-60,0-2-61', '0-2-61..61', '0-1-60,0-2-60'],
    ['0-2-61..61', '0-1-65', '0-2-61..61'],
    ['0-2-61..70', '0-1-60,0-2-65', '0-2-66..70'],
    ['0-1-60,0-2-70', '0-1-60,0-2-61..70', ''],
    ['0-1-53,0-2-40', '0-1-30,0-2-40,0-3-60', '0-1-41..53'],
    ['0-1-9', '0-1-3..5', '0-1-2,0-1-6..9'],
  ];
  for (const [a, b, left] of cases)
    t.is(subtract(parseGtids('mariadb', a), parseGtids('mariadb', b)).toString(), left, `${a} without ${b}`);
});

test('a position stands for all that comes before it, whoever wrote it', (t) => {
  const purged = upTo(parseGtids('mariadb', '0-2-30,1-1-4'));
  t.is(purged.toString(), '0-*-30,1-*-4');
  t.is(parseGtids('mariadb', purged.toString()).toString(), purged.toString());
  const cases: readonly (readonly [string, boolean])[] = [
    ['0-3-45,1-1-4', true],
    ['0-3-29,1-1-4', false],
    ['0-3-45', false],
    ['0-1-10,0-2-30,1-7-9', true],
  ];
  for (const [state, has] of cases) t.is(contains(parseGtids('mariadb', state), purged), has, state);
  t.is(ahead(parseGtids('mariadb', '0-2-70'), parseGtids('mariadb', '0-1-60')).toString(), '0-2-61..70');
  t.is(ahead(parseGtids('mariadb', '0-1-60'), parseGtids('mariadb', '0-1-60')).toString(), '');
  const [uuid = ''] = UUIDS;
  t.is(upTo(parseGtids('mysql', `${uuid}:5-9`)).toString(), `${uuid}:5-9`);
  t.is(
    ahead(parseGtids('mysql', `${uuid}:5-9`), parseGtids('mysql', `${uuid}:1-7`)).toString(),
    `${uuid}:8-9`,
  );
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

const REPLICA = 4;
/** A state as it is after a copy that was taken at one number, and what was applied after it. */
const stateOfCopy = (writers: readonly number[], from: number, length: number, errant: number): Gtids => {
  const last = new Map<number, number>();
  for (let number = Math.max(1, from); number <= length; number++) last.set(writers[number - 1] ?? 0, number);
  if (errant > 0) last.set(REPLICA, length + errant);
  return parseGtids('mariadb', [...last].map(([server, number]) => `0-${server}-${number}`).join(','));
};

test('what a replica wrote itself is found, whatever the primary did since, and nothing else', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: REPLICA }), { minLength: 1, maxLength: 15 }),
      fc.array(fc.integer({ min: 1, max: REPLICA - 1 }), { maxLength: 15 }),
      fc.nat(),
      fc.nat(),
      fc.nat(4),
      (before, since, copyOfReplica, copyOfPrimary, errant) => {
        const writers = [...before, ...since];
        const replica = stateOfCopy(writers, copyOfReplica % before.length, before.length, errant);
        const primary = stateOfCopy(writers, copyOfPrimary % before.length, writers.length, 0);
        const extra = subtract(replica, primary);
        t.is(count(extra), errant, `${replica.toString()} and ${primary.toString()}`);
        if (errant > 0)
          t.true(
            contains(
              extra,
              parseGtids('mariadb', `0-${REPLICA}-${before.length + 1}..${before.length + errant}`),
            ),
          );
        t.is(
          count(subtract(primary, replica)),
          since.length,
          `${primary.toString()} and ${replica.toString()}`,
        );
        // The laws of sets, as far as histories that fork can have them.
        t.true(contains(union(primary, replica), primary));
        t.true(contains(union(primary, replica), replica));
        t.true(isEmpty(intersect(extra, primary)));
        t.is(compare(replica, replica), 'equal');
        t.is(parseGtids('mariadb', extra.toString()).toString(), extra.toString());
      },
    ),
    { numRuns: 300 },
  );
});
