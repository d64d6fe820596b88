import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test, { type ExecutionContext } from 'ava';

import { run } from '../../src/lib/process.ts';

/* How an account of MySQL comes to accept two passwords; a stand-in keeps them as the server was seen to do. */

const template = readFileSync(
  fileURLToPath(new URL('../../playbooks/roles/mysql/templates/mysql/two-passwords.sh.j2', import.meta.url)),
  'utf8',
);

/** A server whose account has this password, and that retained one. */
const SERVER = `#!/bin/sh
cd "$(dirname "$0")"
read -r primary retained < account
case "$*" in
  *--defaults-file=*)
    given=$(sed -n "s/^password = '\\(.*\\)'$/\\1/p")
    case $given in "$primary" | "$retained") exit ;; esac
    echo "ERROR 1045 (28000): Access denied for user" >&2
    exit 1 ;;
esac
tr ';' '\\n' | while read -r statement; do
  [ -n "$statement" ] || continue
  new=$(printf '%s' "$statement" | sed "s/.* BY '\\([^']*\\)'.*/\\1/")
  case $statement in *'RETAIN CURRENT PASSWORD') retained=$primary ;; esac
  primary=$new
  echo "$primary $retained" | tee account >> log
done
`;

/** Runs the script for these two passwords. Returns every state of the account, the present one and the retained one. */
async function states(
  t: ExecutionContext,
  account: readonly [string, string],
  passwords: readonly [string, string],
): Promise<readonly (readonly string[])[]> {
  const root = mkdtempSync(join(tmpdir(), 'understudy-two-passwords-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  writeFileSync(join(root, 'account'), `${account.join(' ')}\n`);
  writeFileSync(join(root, 'log'), `${account.join(' ')}\n`);
  writeFileSync(join(root, 'mysql'), SERVER);
  chmodSync(join(root, 'mysql'), 0o755);
  const functions = template
    .slice(template.indexOf('accepts()'), template.indexOf('{% macro word'))
    .replaceAll('{{ mysql_statement_timeout }}', '60')
    .replaceAll('{{ mysql_address | quote }}', '10.0.0.1')
    .replaceAll('{{ mysql_port }}', '3306')
    .replaceAll("{{ mysql_account_host | replace('%', '%%') }}", '%%');
  t.notRegex(functions, /\{\{/);
  const input = `set -eu\nPATH=${root}:$PATH\n${functions}\nboth app ${passwords.join(' ')}\n`;
  const { status, stderr } = await run(['sh', '-s'], { input });
  t.is(status, 0, stderr);
  const lines = readFileSync(join(root, 'log'), 'utf8').trimEnd().split('\n');
  return lines.map((line) => line.split(' '));
}

const PASSWORDS = ['present', 'second', 'other'] as const;

for (const passwords of [['present', 'second'] as const, ['second', 'present'] as const]) {
  for (const primary of PASSWORDS) {
    for (const retained of ['-', ...PASSWORDS]) {
      test(`${passwords.join(' and ')} are accepted of an account with ${primary} and ${retained}, and none was refused meanwhile`, async (t) => {
        const seen = await states(t, [primary, retained], passwords);
        t.deepEqual([...(seen.at(-1) ?? [])].sort(), ['present', 'second']);
        for (const password of passwords.filter((one) => one === primary || one === retained))
          t.true(
            seen.every((accepted) => accepted.includes(password)),
            `${password}: ${JSON.stringify(seen)}`,
          );
      });
    }
  }
}

test('what is accepted already is left alone', async (t) => {
  t.is((await states(t, ['second', 'present'], ['present', 'second'])).length, 1);
});
