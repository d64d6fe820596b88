import test from 'ava';

import { compareVersions, isAtLeast, parseVersion, versionOf } from '../../src/database/version.ts';

test('versions are read as servers say them', (t) => {
  const cases: readonly (readonly [string, string, readonly number[]])[] = [
    ['8.0.36', 'mysql', [8, 0, 36]],
    ['9.7.4-2', 'mysql', [9, 7, 4]],
    ['26.1.0', 'mysql', [26, 1, 0]],
    ['11.8.3-MariaDB-0+deb13u1-log', 'mariadb', [11, 8, 3]],
    ['5.5.5-10.11.6-MariaDB-1:10.11.6+maria~ubu2204', 'mariadb', [10, 11, 6]],
  ];
  for (const [text, flavour, [major, minor, patch]] of cases) {
    const version = versionOf(text);
    t.deepEqual(
      [version.flavour, version.major, version.minor, version.patch],
      [flavour, major, minor, patch],
      text,
    );
  }
  t.is(parseVersion('unknown'), undefined);
});

test('versions are compared as numbers', (t) => {
  t.true(compareVersions(versionOf('8.0.9'), versionOf('8.0.26')) < 0);
  t.true(compareVersions(versionOf('26.1.0'), versionOf('9.7.0')) > 0);
  t.true(isAtLeast(versionOf('10.11.6-MariaDB'), 10, 11));
  t.false(isAtLeast(versionOf('8.0.25'), 8, 0, 26));
});
