import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { VERSION } from '../../src/bin/package.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** Debian's own, which the balancers have. */
const DEBIAN_NODE = '/usr/bin/node';

const directory = mkdtempSync(join(tmpdir(), 'bundle-'));
const bundle = join(directory, 'failover.mjs');
test.after.always(() => rmSync(directory, { recursive: true, force: true }));

test.before('the bundle', (t) => {
  const built = spawnSync(process.execPath, [join(ROOT, 'scripts', 'build-failover.ts'), directory], {
    encoding: 'utf8',
  });
  t.is(built.status, 0, built.stderr);
});

/** Away from the project: nothing beside the one file may be needed. */
function run(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const node = existsSync(DEBIAN_NODE) ? DEBIAN_NODE : process.execPath;
  return spawnSync(node, [bundle, ...args], {
    encoding: 'utf8',
    cwd: directory,
    env: { PATH: '/usr/bin:/bin' },
  });
}

test("the daemon's one file runs on Debian's Node.js", (t) => {
  t.like(run('--version'), { status: 0, stdout: `${VERSION}\n`, stderr: '' });
  const help = run('watch', '--help');
  t.is(help.status, 0, help.stderr);
  t.regex(help.stdout, /--cluster <name>/);
});

/** What the compiler lets pass and Node.js 20 has not: found only when it is called, which may be in the night. */
const NEWER_THAN_DEBIANS =
  /\bPromise\.(?:withResolvers|try)\b|\b(?:Object|Map)\.groupBy\b|\bArray\.fromAsync\b/;

test("it calls nothing that Debian's Node.js lacks", (t) => {
  t.is(NEWER_THAN_DEBIANS.exec(readFileSync(bundle, 'utf8'))?.[0], undefined);
});

test('it reads its own file and no inventory, and says so', (t) => {
  const inventory = run('status');
  t.is(inventory.status, 1);
  t.regex(inventory.stderr, /^error: this program has no inventory: use --cluster/);
  const missing = run('watch', '--cluster', '/nowhere.json');
  t.is(missing.status, 1);
  t.regex(missing.stderr, /^error: cannot read \/nowhere\.json/);
});
