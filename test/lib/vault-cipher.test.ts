import { readFileSync } from 'node:fs';

import test from 'ava';

import { openEnvelope, readEnvelope, sealText } from '../../src/lib/vault-cipher.ts';

const PASSWORD = 'pass word é';
const SALT = Buffer.from('01ff'.repeat(16), 'hex');
/** What ansible-core's vault makes of texts with that password and salt; see vault.py. */
const cases = JSON.parse(readFileSync(new URL('cases/vault.json', import.meta.url), 'utf8')) as readonly {
  readonly text: string;
  readonly id: string;
  readonly sealed: string;
}[];

for (const { text, id, sealed } of cases) {
  test(`a text of ${text.length} characters under the id ${id} is encrypted as ansible-vault does`, (t) => {
    t.is(sealText(Buffer.from(text), PASSWORD, id, SALT), sealed);
    const envelope = readEnvelope(sealed);
    if (typeof envelope === 'string') return t.fail(envelope);
    t.is(envelope.id, id);
    t.is(openEnvelope(envelope, PASSWORD)?.toString('utf8'), text);
    t.is(openEnvelope(envelope, 'another'), undefined);
  });
}

test('two encryptions of one text differ', (t) => {
  t.not(sealText(Buffer.from('a'), PASSWORD), sealText(Buffer.from('a'), PASSWORD));
});

test('what is no vault text of ours is said to be so', (t) => {
  t.is(
    readEnvelope('$ANSIBLE_VAULT;1.0;AES256\n00'),
    'the vault format 1.0 is not known; there are 1.1 and 1.2',
  );
  t.is(readEnvelope('$ANSIBLE_VAULT;1.1;AES\n00'), 'the vault cipher AES is not known; there is AES256');
  t.is(readEnvelope('$ANSIBLE_VAULT;1.1;AES256\n00ff'), 'the vault text is not complete');
});
