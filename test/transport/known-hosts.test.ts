import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import {
  entriesFor,
  judgeHostKey,
  knownHostLabel,
  knownHostLine,
  matchesNames,
  orderAlgorithms,
  parseKnownHosts,
  updateKnownHosts,
} from '../../src/transport/known-hosts.ts';

/** A key as the protocol encodes it. */
function newKey(algorithm = 'ssh-ed25519'): Buffer {
  const raw = generateKeyPairSync('ed25519').publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  return Buffer.concat([
    Buffer.from([0, 0, 0, algorithm.length]),
    Buffer.from(algorithm),
    Buffer.from([0, 0, 0, 32]),
    raw,
  ]);
}

const NAMES: readonly (readonly [names: string, label: string, matches: boolean])[] = [
  ['web1', 'web1', true],
  ['WEB1', 'web1', true],
  ['web1', 'web2', false],
  ['web1,10.0.0.1', '10.0.0.1', true],
  ['web*', 'web1', true],
  ['web?', 'web12', false],
  ['*.example.com,!bad.example.com', 'good.example.com', true],
  ['*.example.com,!bad.example.com', 'bad.example.com', false],
  ['web1', '[web1]:2222', false],
  ['[web1]:2222', '[web1]:2222', true],
  ['[web1]:*', '[web1]:2222', true],
  ['web.', 'webx', false],
  ['|1|AAECAwQFBgcICQoLDA0ODxAREhM=|nothing', 'web1', false],
];

for (const [names, label, matches] of NAMES) {
  test(`the name field "${names}" ${matches ? 'covers' : 'does not cover'} ${label}`, (t) => {
    t.is(matchesNames(names, label), matches);
  });
}

test('a hashed line covers the label that it was made for, and no other', (t) => {
  const label = fc.stringMatching(/^[a-z0-9.-]{1,30}$/);
  fc.assert(
    fc.property(label, label, fc.integer({ min: 1, max: 65535 }), (name, other, port) => {
      const mine = knownHostLabel(name, port);
      const [entry] = parseKnownHosts(knownHostLine(mine, newKey(), { hashed: true }), 'f');
      if (!entry) throw new Error('no entry');
      t.true(matchesNames(entry.names, mine));
      t.is(matchesNames(entry.names, knownHostLabel(other, port)), other === name);
    }),
    { numRuns: 30 },
  );
});

test('comments, blank and broken lines are passed over, and line numbers still count them', (t) => {
  const key = newKey();
  const entries = parseKnownHosts(
    `# c\n\nbroken\n@unknown a b c\n  ${knownHostLine('web1', key)} comment\n`,
    'f',
  );
  t.deepEqual(
    entries.map(({ line, names, key: found }) => ({ line, names, same: found.equals(key) })),
    [{ line: 5, names: 'web1', same: true }],
  );
});

test('the verdict on a key', (t) => {
  const [known, other, revoked] = [newKey(), newKey(), newKey()];
  const rsa = newKey('ssh-rsa');
  const text = [
    knownHostLine('web1', known),
    `@revoked * ${knownHostLine('x', revoked).slice(2)}`,
    `@cert-authority web2 ${knownHostLine('x', other).slice(2)}`,
  ].join('\n');
  const judge = (label: string, key: Buffer, algorithm = 'ssh-ed25519') =>
    judgeHostKey(entriesFor(parseKnownHosts(text, 'f'), label), algorithm, key);
  t.is(judge('web1', known).kind, 'known');
  t.is(judge('web1', other).kind, 'changed');
  t.is(judge('web1', rsa, 'ssh-rsa').kind, 'changed');
  t.is(judge('web1', revoked).kind, 'revoked');
  t.is(judge('web3', known).kind, 'unknown');
  const authority = judge('web2', other);
  t.is(authority.kind, 'unknown');
  t.is(authority.kind === 'unknown' ? authority.authorities.length : 0, 1);
});

test('the algorithms of known keys are offered first, and none is lost', (t) => {
  const all = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'rsa-sha2-512', 'rsa-sha2-256'];
  const entries = (algorithm: string) => parseKnownHosts(`web1 ${algorithm} AAAA`, 'f');
  t.deepEqual(orderAlgorithms(entries('ecdsa-sha2-nistp256'), all), [
    'ecdsa-sha2-nistp256',
    'ssh-ed25519',
    'rsa-sha2-512',
    'rsa-sha2-256',
  ]);
  t.deepEqual(orderAlgorithms(entries('ssh-rsa'), all), [
    'rsa-sha2-512',
    'rsa-sha2-256',
    'ssh-ed25519',
    'ecdsa-sha2-nistp256',
  ]);
  t.deepEqual(orderAlgorithms([], all), all);
});

test('keys are added at once by many, the rest of the file is kept, and nothing is left over', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'understudy-known-'));
  t.teardown(async () => await rm(directory, { recursive: true }));
  const file = join(directory, 'known_hosts');
  await writeFile(file, '# my comment\n', { mode: 0o640 });
  const labels = Array.from({ length: 20 }, (_, index) => `web${index}`);
  await Promise.all(labels.map((label) => updateKnownHosts(file, label, [newKey()])));
  const text = await readFile(file, 'utf8');
  t.true(text.startsWith('# my comment\n'));
  t.deepEqual(
    parseKnownHosts(text, file)
      .map((entry) => entry.names)
      .sort(),
    [...labels].sort(),
  );
  t.deepEqual(await readdir(directory), ['known_hosts']);
  t.is((await stat(file)).mode & 0o777, 0o640);
});

test('a replaced key leaves other hosts of the same line alone', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'understudy-known-'));
  t.teardown(async () => await rm(directory, { recursive: true }));
  const file = join(directory, 'known_hosts');
  const [old, fresh] = [newKey(), newKey()];
  await writeFile(
    file,
    `${knownHostLine('web1,web2', old)}\n${knownHostLine('web1', old, { hashed: true })}\n`,
  );
  await updateKnownHosts(file, 'web1', [fresh], { replace: true });
  const entries = parseKnownHosts(await readFile(file, 'utf8'), file);
  t.deepEqual(
    entriesFor(entries, 'web2').map((entry) => entry.key.equals(old)),
    [true],
  );
  t.deepEqual(
    entriesFor(entries, 'web1').map((entry) => entry.key.equals(fresh)),
    [true],
  );
  await updateKnownHosts(file, 'web1', [fresh]);
  t.is(entriesFor(parseKnownHosts(await readFile(file, 'utf8'), file), 'web1').length, 1);
});
