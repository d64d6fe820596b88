import test from 'ava';

import type { Balancer } from '../../../src/balancer/balancer.ts';
import { onBalancers } from '../../../src/failover/execute/on-balancers.ts';

interface Case {
  readonly name: string;
  /** By name: `checks` finds the writer by itself; `works`, `fails`, or it was `silent` before and `fails` now. */
  readonly balancers: readonly (readonly [string, 'checks' | 'told', 'works' | 'fails' | 'silent'])[];
  readonly fails: boolean;
  /** Who was asked. */
  readonly asked: readonly string[];
}

const CASES: readonly Case[] = [
  {
    name: 'all work',
    balancers: [
      ['lb1', 'checks', 'works'],
      ['vip', 'told', 'works'],
    ],
    fails: false,
    asked: ['lb1', 'vip'],
  },
  {
    name: 'one that checks by itself fails beside another',
    balancers: [
      ['lb1', 'checks', 'fails'],
      ['lb2', 'checks', 'works'],
    ],
    fails: false,
    asked: ['lb1', 'lb2'],
  },
  {
    name: 'all that check by themselves fail',
    balancers: [
      ['lb1', 'checks', 'fails'],
      ['lb2', 'checks', 'fails'],
      ['vip', 'told', 'works'],
    ],
    fails: true,
    asked: ['lb1', 'lb2', 'vip'],
  },
  {
    name: 'one that has to be told fails, whatever the others do',
    balancers: [
      ['lb1', 'checks', 'works'],
      ['dns', 'told', 'fails'],
    ],
    fails: true,
    asked: ['lb1', 'dns'],
  },
  {
    name: 'a silent one that checks by itself is not waited for',
    balancers: [
      ['lb1', 'checks', 'silent'],
      ['lb2', 'checks', 'works'],
    ],
    fails: false,
    asked: ['lb2'],
  },
  {
    name: 'a silent one that has to be told is tried all the same',
    balancers: [
      ['lb1', 'checks', 'works'],
      ['dns', 'told', 'silent'],
    ],
    fails: true,
    asked: ['lb1', 'dns'],
  },
  {
    name: 'all that check by themselves were silent before',
    balancers: [['lb1', 'checks', 'silent']],
    fails: false,
    asked: [],
  },
  { name: 'there are none', balancers: [], fails: false, asked: [] },
];

for (const { name, balancers, fails, asked } of CASES) {
  test(name, async (t) => {
    const called: string[] = [];
    const all = balancers.map(([each, how]): Balancer => ({
      name: each,
      kind: 'vip',
      checks: how === 'checks',
      staleSeconds: 0,
      writers: () => Promise.resolve([]),
      expect: () => Promise.resolve(),
      pointWriters: () => Promise.resolve(),
      close: () => Promise.resolve(),
    }));
    const silent = new Set(balancers.filter(([, , state]) => state === 'silent').map(([each]) => each));
    const work = async (balancer: Balancer): Promise<void> => {
      called.push(balancer.name);
      const [, , state] = balancers.find(([each]) => each === balancer.name) ?? [];
      if (state !== 'works') throw new Error(`${balancer.name} is broken`);
    };
    const done = onBalancers({ balancers: all, silent }, work);
    if (fails) await t.throwsAsync(done, { message: /is broken/ });
    else {
      const { message, reached } = await done;
      const bad = balancers.filter(([, , state]) => state !== 'works');
      t.deepEqual(
        reached,
        balancers.filter(([, , state]) => state === 'works').map(([each]) => each),
      );
      for (const [each] of bad) t.true(message?.includes(each));
      t.is(message === undefined, bad.length === 0);
    }
    t.deepEqual(called, asked);
  });
}
