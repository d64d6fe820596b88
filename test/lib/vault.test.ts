import { readFileSync } from 'node:fs';

import test from 'ava';

import { UserError } from '../../src/lib/errors.ts';
import { Secret, SecretRegistry } from '../../src/lib/secret.ts';
import { toPlain } from '../../src/lib/value.ts';
import { sealText } from '../../src/lib/vault-cipher.ts';
import { theVault, useVault } from '../../src/lib/vault.ts';
import { parseYaml } from '../../src/lib/yaml.ts';

const [, , , , , , plain] = JSON.parse(
  readFileSync(new URL('cases/vault.json', import.meta.url), 'utf8'),
) as readonly { readonly sealed: string; readonly text: string }[];
const indented = (text: string): string => text.trimEnd().replaceAll(/^/gm, '    ');

// The vault is the process's, so one test after the other.
test.serial('encrypted files and values are read, and never shown', (t) => {
  useVault([
    { id: 'old', password: new Secret('something else') },
    { id: 'default', password: new Secret('pass word é') },
  ]);
  t.deepEqual(toPlain(parseYaml(plain!.sealed, 'vars.yml').value), { db_password: 'hunter2', other: 'é ☃' });
  const value = sealText(Buffer.from('s3cret value'), 'pass word é');
  t.deepEqual(toPlain(parseYaml(`a: !vault |\n${indented(value)}\nb: 1\n`, 'vars.yml').value), {
    a: 's3cret value',
    b: 1,
  });
  const secrets = new SecretRegistry();
  theVault().onSecret((secret) => secrets.add(secret));
  t.is(secrets.redact('hunter2 and s3cret value'), '[REDACTED] and [REDACTED]');
});

test.serial('a mistake in an encrypted file does not quote it', (t) => {
  useVault([{ id: 'default', password: new Secret('pass word é') }]);
  const sealed = sealText(Buffer.from('a: "hunter2\n'), 'pass word é');
  const error = t.throws(() => parseYaml(sealed, 'vars.yml'), { instanceOf: UserError });
  t.false(error?.message.includes('hunter2'));
});

test.serial('without the right password the place and the remedy are told', (t) => {
  useVault([]);
  t.throws(() => parseYaml(plain!.sealed, 'vars.yml'), { message: /vars\.yml:1:1: .*no password was given/ });
  useVault([{ id: 'default', password: new Secret('wrong') }]);
  t.throws(() => parseYaml(`a: !vault |\n${indented(plain!.sealed)}\n`, 'vars.yml'), {
    message: /vars\.yml:1:\d+: .*none of the given passwords opens it/,
  });
});
