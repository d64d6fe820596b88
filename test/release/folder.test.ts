import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { readReleaseFolder } from '../../src/release/folder.ts';
import { firstRecord } from '../../src/release/record.ts';
import { releaseStore } from '../../src/release/store.ts';

type Files = Readonly<Record<string, string>>;

function directory(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'release-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** `→ x`: a link. `#! …`: a program. */
function write(root: string, files: Files): string {
  for (const [path, content] of Object.entries(files)) {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    if (content.startsWith('→ ')) symlinkSync(content.slice(2), file);
    else writeFileSync(file, content);
    if (content.startsWith('#!')) chmodSync(file, 0o700);
  }
  return root;
}

const APP: Files = { 'app.mjs': 'app', 'static/style.css': 'body {}', 'bin/tool': '#!/bin/sh' };

test('a folder is a release: its files, whoever may read them here, and its links as what they lead to', (t) => {
  const root = write(directory(t), { ...APP, 'lib/tool': '→ ../bin/tool', assets: '→ static' });
  chmodSync(join(root, 'app.mjs'), 0o600);
  t.deepEqual(
    readReleaseFolder(root, 'app.mjs').files.map(({ path, mode }) => [path, mode]),
    [
      ['app.mjs', 0o644],
      ['assets/style.css', 0o644],
      ['bin/tool', 0o755],
      ['lib/tool', 0o755],
      ['static/style.css', 0o644],
    ],
  );
});

test('the same files are the same release, and any other file, name or mode is another one', (t) => {
  const digest = (files: Files): string => readReleaseFolder(write(directory(t), files), 'app.mjs').digest;
  const own = digest(APP);
  t.is(digest({ ...APP }), own);
  const others = [
    { ...APP, 'app.mjs': 'app ' },
    { ...APP, 'static/more.css': '' },
    { ...APP, 'bin/tool': '/bin/sh' },
    { 'app.mjs': 'app', 'static.css': 'body {}', 'bin/tool': '#!/bin/sh' },
  ].map(digest);
  t.is(new Set([own, ...others]).size, 5);
});

const WRONG: readonly (readonly [why: string, files: Files, expected: RegExp])[] = [
  ['without its entry', { 'index.js': '' }, /no file app\.mjs/],
  ['that is a working copy', { 'app.mjs': '', '.git/HEAD': '' }, /working copy of git/],
  ['with a link that leads out of it', { 'app.mjs': '', key: '→ /etc/hostname' }, /key: it leads out/],
  ['with a link that leads nowhere', { 'app.mjs': '', key: '→ nowhere' }, /key: it leads nowhere/],
  ['with a link to a folder above it', { 'app.mjs': '', 'a/b': '→ ..' }, /b: it leads back/],
  ['with several faults', { a: '→ nowhere', b: '→ /etc' }, /a: it leads nowhere\nb: it leads out/],
];
for (const [why, files, expected] of WRONG) {
  test(`a folder ${why} is refused`, (t) => {
    const root = write(directory(t), files);
    t.throws(() => readReleaseFolder(root, 'app.mjs'), { message: expected });
  });
}

test('what is kept has the modes that the servers give it, whatever was there before', (t) => {
  const root = write(directory(t), { ...APP, assets: '→ static' });
  const store = releaseStore(directory(t));
  const folder = readReleaseFolder(root, 'app.mjs');
  // As a run that was killed leaves it.
  write(store.pathOf('.1.partial'), { 'static/half': '' });
  write(store.pathOf('1'), { 'app.mjs': 'broken', 'static/stray': '' });
  store.keep('1', folder);
  t.is(readReleaseFolder(store.pathOf('1'), 'app.mjs').digest, folder.digest);
  t.is(statSync(join(store.pathOf('1'), 'bin/tool')).mode & 0o777, 0o755);
  const before = statSync(store.pathOf('1')).ino;
  store.keep('1', folder);
  t.is(statSync(store.pathOf('1')).ino, before);
  store.forget(['1']);
  t.deepEqual(readdirSync(join(store.directory, 'releases')), []);
});

test('the record is a file that people can read, and a damaged one is no empty one', (t) => {
  const store = releaseStore(directory(t));
  t.is(store.record(), undefined);
  const record = firstRecord({
    name: '1',
    digest: 'x',
    from: { kind: 'site' },
    by: 'ann',
    at: 1,
    before: null,
  });
  store.write(record);
  t.deepEqual(store.record(), record);
  const file = join(store.directory, 'releases.json');
  t.regex(readFileSync(file, 'utf8'), /^ {2}"current": "1",$/m);
  writeFileSync(file, '{"version": 2}');
  t.throws(() => store.record(), { message: /releases\.json: expected the record/ });
});
