import test from 'ava';

import type { Answer } from '../../../src/site/dns/answers.ts';
import { type DnsFinding, judgeDns, updatesFor } from '../../../src/site/dns/judge.ts';
import type { SiteDns } from '../../../src/site/dns/spec.ts';

const DNS: SiteDns = {
  names: ['www.foobar.test'],
  addresses: ['203.0.113.100', '2001:db8::64'],
  ttl: 60,
  ca: 'letsencrypt.org',
};
const RIGHT: Answer = {
  name: 'www.foobar.test',
  server: 'ns1.foobar.test',
  status: 'NOERROR',
  addresses: [
    { address: '203.0.113.100', ttl: 60 },
    { address: '2001:0db8:0::64', ttl: 60 },
  ],
  caa: [],
};
const [four, six] = RIGHT.addresses as [Answer['addresses'][0], Answer['addresses'][0]];
const issue = (value: string, tag = 'issue') => ({ tag, value });

const CASES: readonly (readonly [string, Partial<Answer>, readonly DnsFinding['code'][]])[] = [
  ['both addresses, however they are written', {}, []],
  ['a shorter time is no harm', { addresses: [{ ...four, ttl: 5 }, six] }, []],
  ['one address is missing', { addresses: [four] }, ['AddressMissing']],
  ['there is none', { addresses: [] }, ['NoSuchName']],
  ['the name is not there', { status: 'NXDOMAIN', addresses: [] }, ['NoSuchName']],
  [
    'one of somebody else',
    { addresses: [four, six, { address: '2001:db8::99', ttl: 60 }] },
    ['StrangeAddress'],
  ],
  ['remembered for an hour', { addresses: [four, { ...six, ttl: 3600 }] }, ['RememberedTooLong']],
  ['a server that is not responsible', { status: 'REFUSED', addresses: [] }, ['Refused']],
  ['a server that is silent', { status: undefined, addresses: [] }, ['NoAnswer']],
  ['the authority may', { caa: [issue('letsencrypt.org; validationmethods=http-01')] }, []],
  ['another authority may', { caa: [issue('other.example')] }, ['AuthorityForbidden']],
  ['one of several may', { caa: [issue('other.example'), issue('LetsEncrypt.org')] }, []],
  ['nobody may', { caa: [issue(';')] }, ['AuthorityForbidden']],
  ['records of another kind forbid nothing', { caa: [issue('mailto:root@foobar.test', 'iodef')] }, []],
  ['a rule for wildcards is none for a name', { caa: [issue(';', 'issuewild')] }, []],
  [
    'a wildcard goes by its own rule',
    { name: '*.foobar.test', caa: [issue('letsencrypt.org'), issue(';', 'issuewild')] },
    ['AuthorityForbidden'],
  ],
  [
    'a wildcard without one goes by that for names',
    { name: '*.foobar.test', caa: [issue('letsencrypt.org')] },
    [],
  ],
];

for (const [what, answer, codes] of CASES) {
  test(`${what}: ${codes.join(', ') || 'fine'}`, (t) =>
    t.deepEqual(
      judgeDns(DNS, [{ ...RIGHT, ...answer }]).map(({ code }) => code),
      codes,
    ));
}

test('an authority that the inventory does not name is not looked for', (t) => {
  const { ca: _, ...without } = DNS;
  t.deepEqual(judgeDns(without, [{ ...RIGHT, caa: [issue(';')] }]), []);
});

test('what differs is replaced in one message, and nothing else is', (t) => {
  const wrong = { ...RIGHT, name: 'foobar.test', addresses: [{ address: '198.51.100.1', ttl: 300 }] };
  const forbidden = { ...RIGHT, name: 'api.foobar.test', caa: [issue(';')] };
  t.deepEqual(updatesFor(DNS, [RIGHT, wrong, forbidden]), [
    {
      name: 'foobar.test',
      from: ['198.51.100.1'],
      lines: [
        'update delete foobar.test. A',
        'update delete foobar.test. AAAA',
        'update add foobar.test. 60 A 203.0.113.100',
        'update add foobar.test. 60 AAAA 2001:db8::64',
      ],
    },
  ]);
});
