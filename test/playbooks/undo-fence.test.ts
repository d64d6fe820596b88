import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test, { type ExecutionContext } from 'ava';

import { run } from '../../src/lib/process.ts';

/* What a fence is taken back to; systemd, the firewall and the server are stand-ins. */

const script = readFileSync(
  fileURLToPath(new URL('../../files/failover/understudy-node', import.meta.url)),
  'utf8',
);

const CASES: readonly {
  readonly name: string;
  readonly active: string;
  readonly system?: string;
  readonly masked?: true;
  readonly ends: 'started' | 'stopped' | 'masked';
}[] = [
  { name: 'a server that had crashed is started', active: 'activating', ends: 'started' },
  { name: 'one that crashed too often is started', active: 'failed', ends: 'started' },
  { name: 'one that somebody had stopped stays stopped', active: 'inactive', ends: 'stopped' },
  { name: 'one that somebody had masked stays masked', active: 'inactive', masked: true, ends: 'masked' },
  { name: 'one whose host is booting is started', active: 'inactive', system: 'starting', ends: 'started' },
];

/** The script on a machine of stand-ins. */
function machine(t: ExecutionContext, active: string, system: string) {
  const root = mkdtempSync(join(tmpdir(), 'understudy-undo-fence-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  const bin = join(root, 'bin');
  mkdirSync(bin);
  const put = (program: string, body: string): void => {
    writeFileSync(join(bin, program), `#!/bin/sh\n${body}\n`);
    chmodSync(join(bin, program), 0o755);
  };
  const unit = join(root, 'mariadb.service');
  put(
    'systemctl',
    `case $1 in
      mask) ln -sfn /dev/null '${unit}' ;;
      unmask) rm -f '${unit}' ;;
      show) echo ${active} ;;
      is-system-running) echo ${system} ;;
      start) echo started >> '${root}/log' ;;
    esac`,
  );
  for (const program of ['iptables', 'ip6tables', 'ss', 'mariadb-admin', 'mariadbd']) put(program, ':');
  // The rule is there, and gone when it was deleted once.
  put('iptables', `case "$*" in *-D*) exit 1 ;; esac`);
  put('ip6tables', `case "$*" in *-D*) exit 1 ;; esac`);
  put('my_print_defaults', 'echo --port=3306');
  mkdirSync(join(root, 'proc'));
  const here = script
    .replace('PATH=/usr/sbin:', `PATH=${bin}:/usr/sbin:`)
    .replace('proc=/proc\n', `proc=${root}/proc\n`)
    .replaceAll('/usr/sbin/mariadbd', join(bin, 'mariadbd'))
    .replaceAll('/etc/systemd/system/', `${root}/`)
    .replaceAll('/run/systemd/system/', `${root}/run-`)
    .replace('state_in_memory=/run/', `state_in_memory=${root}/`)
    .replace('state_dir=/var/lib/understudy', `state_dir=${root}`);
  const does = async (...verb: readonly string[]): Promise<void> => {
    const result = await run(['sh', '-s', ...verb], { input: here });
    t.is(result.status, 0, result.stderr);
  };
  return { root, unit, does };
}

for (const { name, active, system = 'running', masked, ends } of CASES) {
  test(`taking back a fence: ${name}`, async (t) => {
    const { root, unit, does } = machine(t, active, system);
    if (masked) await run(['ln', '-sfn', '/dev/null', unit]);
    await does('fence');
    await does('fence');
    await does('undo-fence', '5');
    // A second time finds it as it was left.
    if (ends !== 'started') await does('undo-fence', '5');
    const seen = await run([
      'sh',
      '-c',
      `cat '${root}/log' 2> /dev/null; readlink '${unit}'; ls '${root}/fenced' 2> /dev/null; :`,
    ]);
    const wanted = { started: 'started\n', stopped: '', masked: '/dev/null\n' }[ends];
    t.is(seen.stdout, wanted);
  });
}

test('a server that was left stopped is fenced and left again as often as it takes, and a person starts it', async (t) => {
  const { root, does } = machine(t, 'inactive', 'running');
  for (const verb of ['fence', 'undo-fence', 'fence', 'undo-fence', 'undo-fence']) {
    await (verb === 'fence' ? does(verb) : does(verb, '5'));
  }
  t.false(existsSync(join(root, 'log')));
  await does('unfence', '5');
  t.is(readFileSync(join(root, 'log'), 'utf8'), 'started\n');
  t.false(existsSync(join(root, 'left')), 'what it was before is forgotten');
});

test('a disk that stands still does not hold the fence up', async (t) => {
  const { root, unit, does } = machine(t, 'active', 'running');
  const note = join(root, 'fenced');
  // Who writes into it waits until somebody reads.
  await run(['mkfifo', note]);
  await does('fence');
  t.is((await run(['readlink', unit])).stdout, '/dev/null\n');
  t.regex((await run(['cat', note], { timeoutMs: 10_000 })).stdout, /^\d{4}-/);
});
