import { createRequire } from 'node:module';

import test from 'ava';

import {
  acceptsKeyType,
  type AlgorithmOption,
  algorithmsFor,
  algorithmsOf,
  chosen,
} from '../../src/transport/ssh-algorithms.ts';

const USUAL = ['a-one', 'a-two', 'b-one'];
const AVAILABLE = [...USUAL, 'b-two', 'c-one'];

const CASES: readonly (readonly [value: string, left: readonly string[]])[] = [
  ['b-two,a-one', ['b-two', 'a-one']],
  ['nothing-here,a-one', ['a-one']],
  ['nothing-here', []],
  ['+c-one', ['a-one', 'a-two', 'b-one', 'c-one']],
  ['+a-one', ['a-one', 'a-two', 'b-one']],
  ['+b-*', ['a-one', 'a-two', 'b-one', 'b-two']],
  ['-a-*', ['b-one']],
  ['-c-one', ['a-one', 'a-two', 'b-one']],
  ['^b-two,b-one', ['b-two', 'b-one', 'a-one', 'a-two']],
  ['^ c-one , b-one', ['c-one', 'b-one', 'a-one', 'a-two']],
];

for (const [value, left] of CASES) {
  test(`of a list of algorithms, ${value} leaves ${left.join(', ') || 'none'}`, (t) => {
    t.deepEqual(chosen(value, USUAL, AVAILABLE), left);
  });
}

test('what can be chosen is what ssh2 has', (t) => {
  const has = createRequire(import.meta.url)('ssh2/lib/protocol/constants.js') as Readonly<
    Record<string, readonly string[]>
  >;
  const kinds: readonly (readonly [AlgorithmOption, string])[] = [
    ['kexalgorithms', 'SUPPORTED_KEX'],
    ['ciphers', 'SUPPORTED_CIPHER'],
    ['macs', 'SUPPORTED_MAC'],
    ['hostkeyalgorithms', 'SUPPORTED_SERVER_HOST_KEY'],
  ];
  for (const [option, name] of kinds)
    t.deepEqual(
      algorithmsOf(option).filter((algorithm) => !has[name]?.includes(algorithm)),
      [],
      option,
    );
});

test('without an option nothing is offered that uses SHA-1, MD5 or CBC', (t) => {
  for (const option of ['kexalgorithms', 'ciphers', 'macs', 'hostkeyalgorithms'] as const)
    t.deepEqual(
      algorithmsFor(option, undefined).filter((name) => /sha1|md5|cbc|^ssh-rsa$|dss/.test(name)),
      [],
    );
});

const KEYS: readonly (readonly [value: string | undefined, type: string, shown: boolean])[] = [
  [undefined, 'ssh-rsa', true],
  ['ssh-ed25519', 'ssh-ed25519', true],
  ['ssh-ed25519', 'ssh-rsa', false],
  ['rsa-sha2-512', 'ssh-rsa', true],
  ['+ssh-rsa', 'ssh-ed25519', true],
  ['-ssh-ed25519', 'ssh-ed25519', false],
  ['-ssh-rsa', 'ssh-rsa', true],
  ['ecdsa-*', 'ecdsa-sha2-nistp256', true],
];

for (const [value, type, shown] of KEYS) {
  test(`a key of the type ${type} is ${shown ? '' : 'not '}shown with ${value ?? 'no option'}`, (t) => {
    t.is(acceptsKeyType(value, type), shown);
  });
}
