import test from 'ava';

import { stackInWords, stackView } from '../../../src/page/model/stack.ts';
import type { BalancerState } from '../../../src/page/model/state.ts';
import { balancer, pageState, server } from '../support.ts';

const words = (balancers: readonly BalancerState[]): readonly string[] =>
  stackInWords(stackView(pageState({ balancers: [...balancers], databases: [] })));

const silent = { silence: 'does not answer', servers: [] };

for (const [what, balancers, address] of [
  ['one has it', [balancer('lb1', true), balancer('lb2', false)], 'on lb1'],
  ['two have it', [balancer('lb1', true), balancer('lb2', true)], 'on lb1 and lb2'],
  ['nobody has it', [balancer('lb1', false), balancer('lb2', false)], 'on no balancer'],
  [
    'who does not answer may have it',
    [balancer('lb1', false), balancer('lb2', null, silent)],
    'where is not known',
  ],
] as const) {
  test(`an address: ${what}`, (t) => {
    t.is(words(balancers)[0], `Address 203.0.113.10: ${address}.`);
  });
}

for (const [what, changes, said] of [
  ['works', [{ current: 3 }, { current: 4 }], 'serves, 7 requests'],
  ['is out everywhere', [{ isOut: true, current: 1 }, { isOut: true }], 'drained, 1 request'],
  ['is out at one', [{}, { isOut: true }], 'drained at lb2, 0 requests'],
  [
    'is down for all',
    [
      { passes: false, check: 'L4CON' },
      { passes: false, check: 'L4CON' },
    ],
    'down: L4CON, 0 requests',
  ],
  ['is down for one', [{}, { passes: false, check: 'L7STS 503' }], 'down at lb2: L7STS 503, 0 requests'],
] as const) {
  test(`a server that ${what}`, (t) => {
    const balancers = changes.map((each, index) =>
      balancer(`lb${index + 1}`, index === 0, {
        servers: [server('web1', each), server('web1', { part: 'reads' })],
      }),
    );
    t.is(words(balancers).at(-1), `Server web1: ${said}.`);
  });
}

test('the picture in words has everything, servers in the order of their numbers', (t) => {
  const balancers = [
    balancer('lb1', true, { servers: [server('web10'), server('web2', { current: 2 })] }),
    balancer('lb2', false, silent),
  ];
  t.deepEqual(stackInWords(stackView(pageState({ balancers }))), [
    'Address 203.0.113.10: on lb1.',
    'Balancer lb1: takes visitors, 2 requests.',
    'Balancer lb2: silent.',
    'Server web1: db1 primary.',
    'Server web2: serves, 2 requests; db2 replica.',
    'Server web3: db3 replica.',
    'Server web10: serves, 0 requests.',
  ]);
});

test('what a roll has taken out is told from what people have', (t) => {
  const note = (server_: string, reason: string) => ({ server: server_, by: 'anna@ops', since: 1, reason });
  const { drained } = stackView(
    pageState({
      drained: [note('web1', 'new disk'), note('web2', 'roll kernel.yml'), note('web3', 'upgrade')],
    }),
  );
  t.deepEqual(
    drained.map(({ server: name, text, isRoll }) => [name, text, isRoll]),
    [
      ['web1', 'new disk (anna@ops)', false],
      ['web2', 'roll kernel.yml (anna@ops)', true],
      ['web3', 'upgrade (anna@ops)', true],
    ],
  );
});
