import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';

import { drainedServers, siteAddresses } from '../../src/page/balancer-eye.ts';

test('the addresses that move are those of vip-handover; without its file there are none', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-balancer-eye-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'handover.conf');
  t.deepEqual(await siteAddresses(file), { device: '', addresses: [] });
  writeFileSync(
    file,
    'INTERFACE=front0\nOWN=203.0.113.11\nADDRESSES="site_1=203.0.113.10 site_1=2001:db8::10 "\nPEERS="lb2=203.0.113.12 "\n',
  );
  t.deepEqual(await siteAddresses(file), { device: 'front0', addresses: ['203.0.113.10', '2001:db8::10'] });
});

test('who is out of service is read from the notes of haproxy-drain', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-balancer-eye-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  t.deepEqual(await drainedServers(join(directory, 'missing')), []);
  mkdirSync(join(directory, 'out'));
  writeFileSync(join(directory, 'out', 'web1'), '{"by":"anna@ops","since":5,"reason":"new disk"}\n');
  writeFileSync(join(directory, 'out', '.web2'), 'half a no');
  writeFileSync(join(directory, 'out', 'web3'), 'no note\n');
  const notes = [...(await drainedServers(join(directory, 'out')))].sort((a, b) =>
    a.server.localeCompare(b.server),
  );
  t.deepEqual(
    notes.map(({ server, reason }) => [server, reason]),
    [
      ['web1', 'new disk'],
      ['web3', 'unreadable note: no note'],
    ],
  );
});
