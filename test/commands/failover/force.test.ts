import test from 'ava';

import { forced, forceOf, NO_FORCE, parseForce } from '../../../src/commands/failover/force.ts';
import { PROMOTE_RISKS, REJOIN_RISKS } from '../../../src/failover/plan/risks.ts';

test('risks are named with commas between them, and again', (t) => {
  const once = parseForce('too-few-ackers,asynchronous', NO_FORCE, PROMOTE_RISKS);
  t.deepEqual(once, { accepts: ['TooFewAckers', 'Asynchronous'], asks: false });
  t.deepEqual(parseForce('asynchronous,split-brain', once, PROMOTE_RISKS), {
    accepts: ['TooFewAckers', 'Asynchronous', 'SplitBrain'],
    asks: false,
  });
});

test('a bare option asks about what was not named', (t) => {
  t.deepEqual(parseForce('asynchronous', forceOf(true), PROMOTE_RISKS), {
    accepts: ['Asynchronous'],
    asks: true,
  });
});

test('an unknown name is answered with the near ones and with all', (t) => {
  const message = /did you mean "too-few-ackers"\?.*asynchronous, blocked-candidate/;
  t.throws(() => parseForce('to-few-ackers', NO_FORCE, PROMOTE_RISKS), { message });
  for (const word of ['db2', 'TooFewAckers', 'must-not-be-promoted', 'asynchronous,,', 'commits-wait'])
    t.throws(() => parseForce(word, NO_FORCE, PROMOTE_RISKS), { message: /There is no risk/ }, word);
  t.throws(() => parseForce('asynchronous', NO_FORCE, REJOIN_RISKS), {
    message: /These can be accepted: commits-wait/,
  });
});

for (const [typed, text] of [
  [['promote', 'db2'], 'failover promote db2 --force too-few-ackers,asynchronous'],
  [['promote', 'db2', '--force'], 'failover promote db2 --force too-few-ackers,asynchronous'],
  [['promote', '--force', '--yes'], 'failover promote --yes --force too-few-ackers,asynchronous'],
  [
    ['promote', '--force', 'asynchronous', 'db2', '--force=x', '--reason', 'the disk is broken'],
    "failover promote db2 --reason 'the disk is broken' --force too-few-ackers,asynchronous",
  ],
] as const) {
  test(`what was typed can be typed again with names: ${typed.join(' ')}`, (t) => {
    t.is(forced(typed, ['TooFewAckers', 'Asynchronous']), text);
  });
}
