import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { parseExtraVariables } from '../../src/commands/provision/extra-variables.ts';
import { codeFrame } from '../../src/lib/code-frame.ts';
import { UserError } from '../../src/lib/errors.ts';
import { isSecretFile } from '../../src/lib/secret-file.ts';
import { parseYaml } from '../../src/lib/yaml.ts';
import { loadVarsFile } from '../../src/playbook/vars-file.ts';
import { check } from '../../src/template/render.ts';

const SECRET = [
  'inventory/lab/secrets/mysql_app_password',
  'inventory/lab/secrets/mysql-tls/ca.pem',
  'secret/x.yml',
  'secrets.yml',
  'group_vars/all/vault.yaml',
  'credentials.json',
  'server.key',
  '/root/.ssh/id_ed25519',
];
const SHOWN = [
  'playbooks/site.yml',
  'roles/vault/tasks/main.yml',
  'group_vars/all.yml',
  'roles/x/tasks/secrets.sh',
];

for (const file of SECRET) test(`${file} is a secret`, (t) => t.true(isSecretFile(file)));
for (const file of SHOWN) test(`${file} may be shown`, (t) => t.false(isSecretFile(file)));

test('a text with a private key in it has no frame, wherever it stands', (t) => {
  const source = 'key: |\n  -----BEGIN RSA PRIVATE KEY-----\n  MIIEvQ\n';
  t.is(codeFrame(source, { file: 'group_vars/all.yml', line: 2, column: 1 }), undefined);
});

for (const [what, text] of [
  ['a quote that is not closed', 'password: "hunter2\n'],
  ['an alias', 'password: *hunter2\n'],
  ['a tag', 'password: !hunter2 x\n'],
  ['a key that stands twice', 'hunter2: 1\nhunter2: 2\n'],
  ['no dictionary', '- hunter2\n'],
] as const) {
  test(`of a secret file with ${what} only the place is told`, (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'secret-'));
    t.teardown(() => rmSync(directory, { recursive: true }));
    mkdirSync(join(directory, 'secrets'));
    const file = join(directory, 'secrets', 'vars');
    writeFileSync(file, text);
    const link = join(directory, 'vars.yml');
    symlinkSync(file, link);
    for (const path of [file, link]) {
      for (const read of [() => loadVarsFile(path), () => parseExtraVariables(`@${path}`)]) {
        const error = t.throws(read, { instanceOf: UserError });
        t.notRegex(error.message, /hunter2/);
        t.true(error.message.includes(path));
      }
    }
  });
}

test('of the same mistake in another file the text is shown', (t) => {
  const error = t.throws(() => parseYaml('password: "hunter2\n', 'vars.yml'), { instanceOf: UserError });
  t.regex(error.message, /hunter2/);
});

test('a template in a secret file shows where it is wrong, but not its text', (t) => {
  const report = (file: string): string =>
    check('hunter2{{ "hunter2" hunter2 }}', 'string', { file, line: 3, column: 7 })
      .map(({ message, frame, location }) => `${location?.line} ${message} ${frame}`)
      .join();
  t.regex(report('vars.yml'), /hunter2/);
  t.regex(report('secrets/vars.yml'), /^3 /);
  t.notRegex(report('secrets/vars.yml'), /hunter2/);
});
