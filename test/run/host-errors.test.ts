import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { needsRoot, testWith } from '../needs.ts';
import { localTransport } from '../../src/transport/local.ts';
import { sshTransport } from '../../src/transport/ssh.ts';
import { ForwardError } from '../../src/transport/forward.ts';
import { recordingTransport } from '../../src/transport/recording.ts';
import { freePort, startSshd } from '../transport/sshd.ts';
import { scriptedRuns } from './scripted-run.ts';

const play = (tasks: string): string =>
  `- hosts: all\n  gather_facts: false\n  tasks:\n${tasks.trim().replaceAll(/^/gm, '    ')}\n`;

/** Two inventory hosts on one sshd of the test's own. */
async function twoHosts(t: ExecutionContext, config: readonly string[]) {
  const server = await startSshd({ config: ['UsePAM no', ...config] });
  t.teardown(server.stop);
  const ssh = sshTransport();
  t.teardown(ssh.close);
  const inventory = ['h1', 'h2']
    .map(
      (name) =>
        `${name} ansible_host=127.0.0.1 ansible_port=${server.port} ansible_ssh_private_key_file=${server.userKey} ` +
        `ansible_ssh_common_args="-F none -o UserKnownHostsFile=${server.knownHosts}"\n`,
    )
    .join('');
  return { transport: ssh, inventory };
}

/** A file system of one megabyte. */
function smallDisk(t: ExecutionContext, directory: string): string {
  const path = join(directory, 'small');
  mkdirSync(path);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', path]);
  t.teardown(() => execFileSync('umount', ['-l', path]));
  return path;
}

const asRoot = testWith(needsRoot(), test);

test('a large file reaches a host without SFTP, and nothing is left beside it', async (t) => {
  const { directory, run } = scriptedRuns(t);
  writeFileSync(join(directory, 'large'), randomBytes(3_000_000));
  mkdirSync(join(directory, 'at'));
  const { transport, inventory } = await twoHosts(t, ['Subsystem sftp /bin/false']);
  const { results, messages } = await run(
    play(`- copy: {src: large, dest: "${directory}/at/{{ inventory_hostname }}", mode: '0644'}`),
    { transport, inventory },
  );
  t.deepEqual(messages, []);
  t.deepEqual(results, ['copy: changed', 'copy: changed']);
  for (const name of ['h1', 'h2'])
    t.true(readFileSync(join(directory, 'at', name)).equals(readFileSync(join(directory, 'large'))));
  t.deepEqual(readdirSync(join(directory, 'at')).toSorted(), ['h1', 'h2']);
});

test('a file of more than 2 GiB is never in memory as a whole', async (t) => {
  const { directory, run } = scriptedRuns(t);
  writeFileSync(join(directory, 'huge'), '');
  // More than Node reads into one buffer.
  truncateSync(join(directory, 'huge'), 2 ** 31 + 1);
  const before = process.memoryUsage().rss;
  const { results, messages } = await run(
    play(`
- copy: {src: huge, dest: ${directory}/other}
`),
    { transport: localTransport(), settings: { checkMode: true } },
  );
  t.deepEqual(messages, []);
  t.deepEqual(results, ['copy: changed']);
  t.true(process.memoryUsage().rss - before < 300_000_000);
});

test('a file here that cannot be read fails its task on its host, for rescue and ignore_errors to take up', async (t) => {
  const { directory, run } = scriptedRuns(t);
  const { results, messages, recap } = await run(
    play(`
- copy: {src: /proc/self/mem, dest: ${directory}/x}
  when: inventory_hostname == 'h1'
  ignore_errors: true
- block:
    - copy: {src: /proc/self/mem, dest: ${directory}/x}
      when: inventory_hostname == 'h1'
  rescue:
    - command: touch ${directory}/rescued
- script: /proc/self/mem
  when: inventory_hostname == 'h1'
- command: touch ${directory}/{{ inventory_hostname }}
`),
    { inventory: 'h1\nh2\n' },
  );
  t.deepEqual(
    results.filter((result) => !result.endsWith('skipped')),
    ['copy: failed', 'copy: failed', 'command: changed', 'script: failed', 'command: changed'],
  );
  t.regex(messages[0] ?? '', /site.yml:4:\d+: copy: EIO: i\/o error/);
  t.like(recap.hosts['h1'], { failed: 1, rescued: 1, ignored: 1 });
  t.like(recap.hosts['h2'], { failed: 0, changed: 1 });
  t.deepEqual(
    readdirSync(directory).filter((name) => ['x', 'h1', 'h2', 'rescued'].includes(name)),
    ['h2', 'rescued'],
  );
});

asRoot('a full disk fails the task on its host, with the reason', async (t) => {
  const { directory, run } = scriptedRuns(t);
  const small = smallDisk(t, directory);
  writeFileSync(join(directory, 'large'), randomBytes(3_000_000));
  const { transport, inventory } = await twoHosts(t, []);
  const { results, messages, recap } = await run(
    play(`
- copy: {src: large, dest: ${small}/large}
  when: inventory_hostname == 'h1'
- fetch: {src: ${directory}/large, dest: ${small}/fetched, flat: true}
  when: inventory_hostname == 'h2'
  ignore_errors: true
- command: 'true'
`),
    { transport, inventory },
  );
  t.deepEqual(
    results.filter((result) => !result.endsWith('skipped')),
    ['copy: failed', 'fetch: failed', 'command: changed'],
  );
  for (const message of messages.slice(0, 2)) t.regex(message, /no space left on device/i);
  t.deepEqual(readdirSync(small), []);
  t.like(recap.hosts['h1'], { failed: 1, unreachable: 0 });
  t.like(recap.hosts['h2'], { failed: 0, ignored: 1, changed: 1 });
});

test('a port is looked at by the host’s own programs where its sshd opens no connections', async (t) => {
  const { directory, run } = scriptedRuns(t);
  const { transport, inventory } = await twoHosts(t, ['AllowTcpForwarding no']);
  const port = /ansible_port=(\d+)/.exec(inventory)?.[1] ?? '';
  const closed = await freePort();
  const { results, messages } = await run(
    play(`
- wait_for: {port: ${port}, state: stopped, timeout: 0}
  ignore_errors: true
- wait_for: {port: ${port}, state: started, timeout: 20}
- wait_for: {port: ${closed}, state: stopped, timeout: 20}
- wait_for: {port: ${closed}, state: started, timeout: 0}
  ignore_errors: true
`),
    { transport, inventory: inventory.split('\n')[0] ?? '' },
  );
  t.deepEqual(results, ['wait_for: failed', 'wait_for: ok', 'wait_for: ok', 'wait_for: failed'], directory);
  t.regex(messages.join('\n'), /Timeout when waiting for 127\.0\.0\.1:\d+ to stop/);
});

test('a check that could not be made fails, whatever was waited for', async (t) => {
  const { run } = scriptedRuns(t);
  const impossible = recordingTransport({
    dial: async () => await Promise.reject(new ForwardError('impossible', 'it has neither bash nor nc')),
  });
  const { results, messages } = await run(
    play(`
- wait_for: {port: 22, state: stopped}
  ignore_errors: true
- wait_for: {port: 22, state: started}
`),
    { transport: impossible },
  );
  t.deepEqual(results, ['wait_for: failed', 'wait_for: failed']);
  for (const message of messages)
    t.regex(message, /whether 127\.0\.0\.1:22 is open cannot be found out: it has neither bash nor nc/);
});
