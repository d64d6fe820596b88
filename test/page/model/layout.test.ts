import fc from 'fast-check';
import test from 'ava';

import { type Box, fit, layoutOf } from '../../../src/page/model/layout.ts';
import type { StackView } from '../../../src/page/model/stack.ts';

const GOOD = { tone: 'good', text: 'serves' } as const;

function stack(addresses: number, balancers: number, servers: number): StackView {
  const names = (count: number): readonly string[] =>
    Array.from({ length: count }, (_, index) => `n${index}`);
  return {
    addresses: names(addresses).map((address) => ({ address, holders: ['n0'], mark: GOOD })),
    balancers: names(balancers).map((name) => ({ name, holds: [], mark: GOOD, load: '1 request' })),
    servers: names(servers).map((name) => ({
      name,
      requests: GOOD,
      load: '1 request',
      instances: [{ name: `db-${name}`, mark: GOOD }],
    })),
    drained: [],
  };
}

const overlap = (a: Box, b: Box): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

test('at any width nothing overlaps, and nothing is outside', (t) => {
  const amount = fc.integer({ min: 0, max: 12 });
  fc.assert(
    fc.property(fc.integer({ min: 200, max: 1400 }), amount, amount, amount, (width, ...counts) => {
      const { addresses, balancers, servers, height, lines } = layoutOf(stack(...counts), width);
      const boxes = [...addresses, ...balancers, ...servers];
      t.is(boxes.length, counts[0] + counts[1] + counts[2]);
      for (const [index, box] of boxes.entries()) {
        t.true(box.x >= 0 && box.x + box.width <= width && box.y >= 0 && box.y + box.height <= height);
        for (const other of boxes.slice(index + 1)) t.false(overlap(box, other));
      }
      for (const { path } of lines) t.notRegex(path, /NaN|Infinity|undefined/);
    }),
  );
});

test('on a phone two servers stand side by side, with room for their words', (t) => {
  const { servers } = layoutOf(stack(1, 2, 3), 312);
  t.is(servers[0]?.y, servers[1]?.y);
  t.true((servers[0]?.width ?? 0) >= 150);
  t.true((servers[2]?.y ?? 0) > (servers[0]?.y ?? 0));
});

test('the way that visitors take is marked', (t) => {
  const { lines } = layoutOf(stack(1, 2, 1), 800);
  t.is(lines.filter(({ isUsed }) => !isUsed).length, 1);
});

test('text that does not fit says so', (t) => {
  t.is(fit('web1', 70), 'web1');
  t.is(fit('a-very-long-name', 70), 'a-very-lo…');
});
