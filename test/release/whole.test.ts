import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { UserError } from '../../src/lib/errors.ts';
import { readReleaseFolder } from '../../src/release/folder.ts';
import { firstRecord, type ReleaseRecord } from '../../src/release/record.ts';
import { type ReleaseStore, releaseStore } from '../../src/release/store.ts';
import { mustBeWhole } from '../../src/release/whole.ts';

function kept(t: ExecutionContext): { readonly store: ReleaseStore; readonly record: ReleaseRecord } {
  const root = mkdtempSync(join(tmpdir(), 'whole-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const built = join(root, 'built');
  mkdirSync(join(built, 'static'), { recursive: true });
  writeFileSync(join(built, 'app.mjs'), 'serve();');
  writeFileSync(join(built, 'static/style.css'), 'body {}');
  const folder = readReleaseFolder(built, 'app.mjs');
  const store = releaseStore(root);
  store.keep('1.4', folder);
  const { digest } = folder;
  return {
    store,
    record: firstRecord({ name: '1.4', digest, from: { kind: 'site' }, by: 'ann', at: 1, before: null }),
  };
}

test('a release whose files are as they were kept is whole', (t) => {
  const { store, record } = kept(t);
  t.notThrows(() => mustBeWhole(store, record, '1.4', 'app.mjs'));
});

const DAMAGES: readonly (readonly [what: string, damage: (path: string) => void, why: RegExp])[] = [
  [
    'another text',
    (path) => writeFileSync(join(path, 'static/style.css'), ''),
    /some are missing, or others/,
  ],
  ['a file too few', (path) => rmSync(join(path, 'static/style.css')), /some are missing, or others/],
  ['a file too many', (path) => writeFileSync(join(path, 'more'), ''), /some are missing, or others/],
  ['no entry', (path) => rmSync(join(path, 'app.mjs')), /has no file app\.mjs/],
  ['no folder', (path) => rmSync(path, { recursive: true }), /ENOENT/],
];

for (const [what, damage, why] of DAMAGES) {
  test(`a release with ${what} is refused by its name and its place`, (t) => {
    const { store, record } = kept(t);
    damage(store.pathOf('1.4'));
    const error = t.throws(() => mustBeWhole(store, record, '1.4', 'app.mjs'), { instanceOf: UserError });
    t.regex(error?.message ?? '', /release 1\.4 in .*app\/releases\/1\.4 are not those that were kept/);
    t.regex(error?.message ?? '', why);
  });
}
