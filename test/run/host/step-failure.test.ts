import { readFileSync } from 'node:fs';
import test from 'ava';

import { StepFailure } from '../../../src/run/host/step-failure.ts';

const SAID = readFileSync(new URL('../../lib/apt-output/proxy-down.txt', import.meta.url), 'utf8');

test('a step of apt that could not fetch says from where, why and what to do, once', (t) => {
  const failure = new StepFailure('install jq, tree, nginx', 100, SAID, 'apt');
  t.regex(
    failure.message,
    /^install jq, tree, nginx failed: nothing could be fetched from \S+ \(\d+ files\) and .*: 127\.0\.0\.1:9 cannot/,
  );
  t.regex(failure.message, /is a proxy of apt's/);
  t.is(failure.output, SAID, 'what is registered is what apt said');
  t.is(failure.shown.match(/Failed to fetch/g)?.length, 2, 'one for each source');
});

test('what other steps said is shown as it is', (t) => {
  const failure = new StepFailure('make the user', 9, SAID);
  t.is(failure.message, 'make the user failed with exit status 9');
  t.is(failure.shown, SAID);
});
