import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import test from 'ava';

import { parseCounters } from '../../src/site/counters.ts';

// As HAProxy 2.6 said it by `haproxy-drain counters`, with a process that a reload had replaced still at work.
const RECORDED = readFileSync(join(import.meta.dirname, 'recorded/counters.txt'), 'utf8');

test('each process says what it has counted, those that a reload has replaced, too', (t) => {
  const [now, old, ...others] = parseCounters('lb1', RECORDED);
  t.deepEqual(others, []);
  t.like(now, { pid: 28401, counts: { requests: 5, '2xx': 5, '5xx': 0, clientAborts: 0 } });
  t.like(old, { pid: 8353, counts: { requests: 14, '2xx': 12, retries: 0 } });
  t.true((now?.slowestMs ?? 0) < 1000);
});

test('a process that ends while it is asked is left out; a balancer that says nothing is an error', (t) => {
  const half = RECORDED.slice(0, RECORDED.lastIndexOf('web,BACKEND'));
  t.deepEqual(
    parseCounters('lb1', half).map(({ pid }) => pid),
    [28401],
  );
  t.throws(() => parseCounters('lb1', 'haproxy-drain: expected: out'), { message: /lb1: expected/ });
});
