import test from 'ava';

import { UserError } from '../../src/lib/errors.ts';
import { baseVersion } from '../../src/lab/base-image.ts';
import { debianRelease, DEBIANS } from '../../src/lab/release.ts';

test('a release of Debian is named by its number or its code name', (t) => {
  t.is(debianRelease('12'), '12');
  t.is(debianRelease('bookworm'), '12');
  t.is(debianRelease('13'), '13');
});

test('a release that the lab has not is answered with those it has', (t) => {
  const error = t.throws(() => debianRelease('11'), { instanceOf: UserError });
  t.regex(error.problems[0]?.hint ?? '', /12 \(bookworm\) and 13 \(trixie\)/);
});

test('each release has an image of its own', (t) => {
  t.is(new Set(DEBIANS.map(baseVersion)).size, DEBIANS.length);
});
