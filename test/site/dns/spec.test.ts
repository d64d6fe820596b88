import test from 'ava';

import { siteDnsSchema } from '../../../src/site/dns/spec.ts';

const KEY = { key_name: 'site', key_secret: 'c2VjcmV0' };

test('names are as DNS has them, a star in front included', (t) => {
  const { names, ttl, update } = siteDnsSchema.parse({
    names: ['WWW.Foobar.test.', '*.foobar.test'],
    update: { server: 'fd00::53', ...KEY },
  });
  t.deepEqual(names, ['www.foobar.test', '*.foobar.test']);
  t.is(ttl, 60);
  t.like(update, { port: 53, key_algorithm: 'hmac-sha256' });
});

const WRONG: readonly (readonly [string, object, RegExp])[] = [
  ['no names', {}, /names/],
  ['an empty list', { names: [] }, /names/],
  ['a line feed in a name', { names: ['a\nupdate delete b'] }, /expected a name as DNS has it/],
  ['a star in the middle', { names: ['a.*.test'] }, /expected a name as DNS has it/],
  ['an address that is none', { names: ['a.test'], addresses: ['10.0.0'] }, /expected an IP address/],
  [
    'a key without its secret',
    { names: ['a.test'], update: { server: '10.0.0.1', key_name: 'k' } },
    /key_secret/,
  ],
  [
    'a secret that is no base64',
    { names: ['a.test'], update: { server: '10.0.0.1', ...KEY, key_secret: '$(x)' } },
    /base64/,
  ],
  [
    'addresses to take out, and nobody to tell',
    { names: ['a.test'], withdraw_after: 30 },
    /`update` beside it/,
  ],
  [
    'addresses to take out that no balancer holds',
    {
      names: ['a.test'],
      withdraw_after: 30,
      addresses: ['192.0.2.1'],
      update: { server: '10.0.0.1', ...KEY },
    },
    /no `addresses` beside it/,
  ],
  ['an unknown key', { names: ['a.test'], tll: 5 }, /tll/],
];

for (const [what, value, message] of WRONG) {
  test(`refused: ${what}`, (t) => t.regex(siteDnsSchema.safeParse(value).error?.message ?? '', message));
}
