import { spawnSync } from 'node:child_process';

import test from 'ava';

import { needsProgram, testWith } from '../needs.ts';
import fc from 'fast-check';

import { compareDebianVersions } from '../../src/lib/debian-version.ts';

// Each is newer than the one before: deb-version(7).
const RISING = [
  '~~',
  '~~a',
  '~',
  '0',
  '0a',
  '1~rc1',
  '1',
  '1-0',
  '1-1',
  '1a',
  '1+b',
  '1.0',
  '1.2~~',
  '1.2~beta1-1',
  '1.2-1',
  '1.2-1+b1',
  '1.2-1.1',
  '1.2.0',
  '1.10',
  '1.9999999999999999999',
  '1:0.1',
  '2:0',
];

test('versions are in the order of dpkg', (t) => {
  for (const [index, one] of RISING.entries()) {
    for (const [position, other] of RISING.entries()) {
      const expected = Math.sign(index - position);
      // A missing revision and 0 are the same.
      if (new Set([one, other]).size === 2 && [one, other].every((text) => ['1', '1-0'].includes(text))) {
        t.is(Math.sign(compareDebianVersions(one, other)) + 0, 0);
      } else t.is(Math.sign(compareDebianVersions(one, other)) + 0, expected, `${one} ${other}`);
    }
  }
});

const dpkg = testWith(needsProgram('dpkg', 'dpkg'), test);

dpkg('dpkg itself agrees', (t) => {
  const version = fc
    .string({ unit: fc.constantFrom(...'0119a~.+-'), minLength: 1, maxLength: 6 })
    .map((text) => `1${text.replace(/-$/, '-0')}`);
  fc.assert(
    fc.property(version, version, (one, other) => {
      const word =
        compareDebianVersions(one, other) < 0 ? 'lt' : compareDebianVersions(one, other) > 0 ? 'gt' : 'eq';
      t.is(spawnSync('dpkg', ['--compare-versions', one, word, other]).status, 0, `${one} ${word} ${other}`);
    }),
    { numRuns: 150 },
  );
});
