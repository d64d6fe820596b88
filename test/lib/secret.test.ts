import { inspect } from 'node:util';

import test from 'ava';

import { Secret, SecretRegistry } from '../../src/lib/secret.ts';

test('a secret shows itself in no way but one', (t) => {
  const secret = new Secret('hunter2');
  for (const shown of [
    // oxlint-disable-next-line typescript/restrict-template-expressions -- that it cannot be misused is the point
    `${secret}`,
    JSON.stringify({ secret }),
    inspect(secret),
    inspect({ secret }),
    String(secret),
  ]) {
    t.false(shown.includes('hunter2'), shown);
    t.true(shown.includes('[REDACTED]'), shown);
  }
  t.is(secret.reveal(), 'hunter2');
});

test('a registry takes its secrets out of text, the longest first', (t) => {
  const registry = new SecretRegistry();
  registry.add('pass');
  registry.add('password');
  t.is(registry.redact('the password and the pass'), 'the [REDACTED] and the [REDACTED]');
});

test('a secret added after a first redaction counts', (t) => {
  const registry = new SecretRegistry();
  registry.add('first');
  t.is(registry.redact('first second'), '[REDACTED] second');
  registry.add('second');
  t.is(registry.redact('first second'), '[REDACTED] [REDACTED]');
  t.true(registry.has('second'));
});

test('text too short to be a secret is left alone', (t) => {
  const registry = new SecretRegistry();
  registry.add('abc');
  t.false(registry.has('abc'));
  t.is(registry.redact('abcabc'), 'abcabc');
});
