import test from 'ava';

import { missingAnswers, siteAnswers } from '../../../src/commands/provision/init-questions.ts';

/** Somebody who answers by what is in the question; an answer that is refused is given only once. */
function scripted(answers: Readonly<Record<string, readonly string[]>>) {
  const said: string[] = [];
  const asked: string[] = [];
  const left = new Map(Object.entries(answers).map(([part, list]) => [part, [...list]]));
  return {
    said,
    asked,
    ask: async (question: string): Promise<string> => {
      asked.push(question);
      for (const [part, list] of left) if (question.includes(part)) return list.shift() ?? '';
      return '';
    },
    say: (text: string) => void said.push(text),
  };
}

test('all is asked on a terminal, with defaults made of the answers before', async (t) => {
  const somebody = scripted({
    'lb1, a balancer': ['lb1.example.com', '192.0.2.11'],
    'lb1: its address': ['10.0.0.11'],
    'lb2, a balancer': ['192.0.2.12'],
    'lb2: its address': ['10.0.0.12'],
    web1: ['10.0.0.21'],
    web2: ['10.0.0.22'],
    web3: ['10.0.0.23'],
    floating: ['192.0.2.100'],
    'come from': ['nowhere', '198.51.100.7, 198.51.100.64/28'],
    "servers' network": ['10.0.0.0/16'],
  });
  t.deepEqual(await siteAnswers({}, somebody), {
    user: 'admin',
    vip: '192.0.2.100',
    vip2: undefined,
    operator: ['198.51.100.7', '198.51.100.64/28'],
    balancers: [
      { name: 'lb1', front: '192.0.2.11', back: '10.0.0.11' },
      { name: 'lb2', front: '192.0.2.12', back: '10.0.0.12' },
    ],
    servers: [
      { name: 'web1', back: '10.0.0.21' },
      { name: 'web2', back: '10.0.0.22' },
      { name: 'web3', back: '10.0.0.23' },
    ],
    frontNetwork: '192.0.2.0/24',
    backNetwork: '10.0.0.0/16',
    frontInterface: 'eth0',
    backInterface: 'eth1',
    serverInterface: 'eth0',
  });
  t.deepEqual(somebody.said, ['  "lb1.example.com" is no IPv4 address', '  "nowhere" is no IPv4 address']);
  t.true(somebody.asked.includes("The clients' network [192.0.2.0/24]: "));
});

test('what was given as an option is not asked for', async (t) => {
  const given = {
    vip: '192.0.2.100',
    operator: ['198.51.100.7'],
    balancer: [{ name: 'front', front: '192.0.2.11', back: '10.0.0.11' }],
    server: [{ name: 'a', back: '10.0.0.21' }],
  };
  t.deepEqual(missingAnswers(given), []);
  t.deepEqual(missingAnswers({ vip: '192.0.2.100' }), ['--balancer', '--server', '--operator']);
  const answers = await siteAnswers(given, {
    ask: undefined,
    say: () => t.fail('nobody is there'),
  });
  t.deepEqual(
    { ...answers, operator: [...answers.operator] },
    {
      user: 'admin',
      vip: '192.0.2.100',
      vip2: undefined,
      operator: ['198.51.100.7'],
      balancers: given.balancer,
      servers: given.server,
      frontNetwork: '192.0.2.0/24',
      backNetwork: '10.0.0.0/24',
      frontInterface: 'eth0',
      backInterface: 'eth1',
      serverInterface: 'eth0',
    },
  );
});
