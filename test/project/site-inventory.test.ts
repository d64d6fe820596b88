import test from 'ava';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';

import { loadInventory } from '../../src/inventory/load.ts';
import { answerProblems, type SiteAnswers } from '../../src/project/site-answers.ts';
import { siteInventory } from '../../src/project/site-inventory.ts';

const EXAMPLE = readFileSync(
  join(import.meta.dirname, '../../inventory/production.example/hosts.yml'),
  'utf8',
);

/** What the example says, as answers. */
const ANSWERS: SiteAnswers = {
  user: 'admin',
  vip: '203.0.113.100',
  vip2: '203.0.113.101',
  operator: ['198.51.100.7', '198.51.100.64/28'],
  balancers: [
    { name: 'lb1', front: '203.0.113.11', back: '10.20.0.11' },
    { name: 'lb2', front: '203.0.113.12', back: '10.20.0.12' },
  ],
  servers: [
    { name: 'web1', back: '10.20.0.21' },
    { name: 'web2', back: '10.20.0.22' },
    { name: 'web3', back: '10.20.0.23' },
  ],
  frontNetwork: '203.0.113.0/24',
  backNetwork: '10.20.0.0/24',
  frontInterface: 'eth0',
  backInterface: 'eth1',
  serverInterface: 'eth0',
};

test("the answers that describe the example's machines give the example's inventory", (t) => {
  t.deepEqual(parse(siteInventory(EXAMPLE, ANSWERS)), parse(EXAMPLE));
});

test('other machines take the place of all of the example', (t) => {
  const text = siteInventory(EXAMPLE, {
    user: 'deploy',
    vip: '192.0.2.10',
    operator: ['192.0.2.99'],
    balancers: [{ name: 'front', front: '192.0.2.11', back: '10.0.0.11' }],
    servers: [{ name: 'a', back: '10.0.0.21' }],
    frontNetwork: '192.0.2.0/24',
    backNetwork: '10.0.0.0/16',
    frontInterface: 'ens3',
    backInterface: 'ens4',
    serverInterface: 'ens5',
  });
  t.notRegex(text, /203\.0\.113|198\.51\.100|10\.20\.0|admin|eth\d|lb1|web1|vip2/);
  t.regex(text, /# The floating address that DNS names/, 'what a variable means still stands there');
  const directory = mkdtempSync(join(tmpdir(), 'understudy-inventory-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'hosts.yml'), text);
  const inventory = loadInventory(directory);
  t.deepEqual([...inventory.hosts.keys()], ['front', 'a']);
  t.deepEqual(parse(text).all.children.servers, {
    vars: {
      back_interface: 'ens5',
      understudy_jumps: ['front'],
      ansible_ssh_common_args: '-o ProxyJump=deploy@192.0.2.11',
    },
    hosts: { a: { ansible_host: '10.0.0.21', back_address: '10.0.0.21', mysql_instance: 'db1' } },
  });
});

const WRONG: readonly (readonly [string, Partial<SiteAnswers>, readonly string[]])[] = [
  ['nothing is wrong with the example', {}, []],
  ['an address that is none', { vip: '203.0.113.400' }, ['"203.0.113.400" is no IPv4 address']],
  [
    'an address outside of its network',
    { vip: '192.0.2.1' },
    ['vip: 192.0.2.1 is not in the front network 203.0.113.0/24'],
  ],
  [
    'a server on the wrong network',
    { servers: [{ name: 'web1', back: '203.0.113.21' }] },
    ['web1: 203.0.113.21 is not in the back network 10.20.0.0/24'],
  ],
  ['an address given twice', { vip: '203.0.113.11' }, ['203.0.113.11 is given to vip and lb1']],
  [
    'a name given twice',
    { servers: [{ name: 'lb1', back: '10.20.0.21' }] },
    ['lb1 is given to a host and a host'],
  ],
  [
    'a name that is none',
    { servers: [{ name: 'Web 1', back: '10.20.0.21' }] },
    ['"Web 1" is no name of a host: lower case letters, digits and hyphens'],
  ],
  [
    'nobody and nothing',
    { operator: [], servers: [], balancers: [] },
    [
      'nobody could reach the balancers by SSH: where do you come from?',
      'a site needs a balancer',
      'a site needs a server',
    ],
  ],
  [
    'all at once',
    { user: 'a b', frontNetwork: '203.0.113.0', backInterface: 'eth 1', operator: ['here'] },
    [
      '"a b" is no name of a user',
      '"here" is no IPv4 address',
      '"eth 1" is no name of a network interface',
      '"203.0.113.0" is no IPv4 network like 10.20.0.0/24',
    ],
  ],
];

for (const [title, difference, expected] of WRONG) {
  test(`answers: ${title}`, (t) => {
    t.deepEqual(
      answerProblems({ ...ANSWERS, ...difference }).map(({ message }) => message),
      [...expected],
    );
  });
}
