import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import test from 'ava';

import { run } from '../../src/lib/process.ts';

/* What the key of the balancers may not run. The real script, on a machine that has no server. */

const read = (path: string): string =>
  readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');
const script = read('files/failover/understudy-node').replaceAll('/usr/sbin/', '/nowhere/');
const ACCOUNT = 'understudy';

const LOG_VERBS = [
  ['logs', '3'],
  ['log-events', 'binlog.000001'],
  ['log-statements', 'binlog.000001'],
  ['apply-log'],
] as const;
const UNITS = [[], ['--unit', 'mariadb@one', '--port', '3307']] as const;

async function stderrOf(user: string | undefined, argv: readonly string[]): Promise<string> {
  const env = user === undefined ? [] : [`SUDO_USER=${user}`];
  const result = await run(['env', '-u', 'SUDO_USER', ...env, 'sh', '-s', '--', ...argv], { input: script });
  return `${result.status} ${result.stderr}`;
}

for (const verb of LOG_VERBS) {
  test(`the key of the balancers may not run ${verb[0]}, and an operator may`, async (t) => {
    for (const unit of UNITS) {
      t.regex(await stderrOf(ACCOUNT, [...unit, ...verb]), /^1 the key of the balancers may not run/);
      for (const user of [undefined, 'operator'])
        t.regex(await stderrOf(user, [...unit, ...verb]), /^1 there is no mysqld on this host/);
    }
  });
}

test('the key of the balancers may still fence', async (t) => {
  t.regex(await stderrOf(ACCOUNT, ['fence']), /there is no mysqld on this host/);
});

test('who comes by the key of the balancers comes by sudo, from the account that the script knows', (t) => {
  const role = read('playbooks/roles/failover_agent/tasks/main.yml');
  t.true(role.includes(`name: ${ACCOUNT}\n`));
  t.true(role.includes('exec sudo -n /usr/local/sbin/understudy-node $SSH_ORIGINAL_COMMAND"'));
  t.true(script.includes(`\nagent=${ACCOUNT}\n`));
});
