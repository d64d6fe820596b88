import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { run } from '../../src/lib/process.ts';
import { parseReleases, releasesScript, serves } from '../../src/release/servers.ts';

test('a server says what a start would run, what runs, and what lies there', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'server-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  for (const name of ['1.2', '1.3']) mkdirSync(join(root, 'releases', name), { recursive: true });
  symlinkSync('releases/1.3', join(root, 'current'));
  // A process of its own stands for the app, and a function for systemd.
  const script = `sleep 60 & app=$!; trap 'kill $app' EXIT
systemctl() { echo $app; }
${releasesScript(root)}`;
  const { stdout, status, stderr } = await run(['sh', '-c', script], {
    env: { PATH: process.env['PATH'] ?? '', APP_VERSION: '1.2' },
  });
  t.is(status, 0, stderr);
  const found = parseReleases(stdout);
  t.deepEqual(found, { current: '1.3', runs: '1.2', kept: ['1.2', '1.3'] });
  t.false(serves(found, '1.3'));
  t.true(serves({ ...found, runs: '1.3' }, '1.3'));
});

test('a server without the app says nothing', async (t) => {
  const { stdout, status } = await run(['sh', '-c', releasesScript('/nowhere/at/all')]);
  t.is(status, 0);
  t.deepEqual(parseReleases(stdout), { current: undefined, runs: undefined, kept: [] });
});
