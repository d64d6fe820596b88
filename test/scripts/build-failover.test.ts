import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

const node = existsSync(DEBIAN_NODE) ? DEBIAN_NODE : process.execPath;

/** Away from the project: nothing beside the one file may be needed. */
function run(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
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

test('it serves the page with its script and its style, and says what it sees', async (t) => {
  const account = { user: 'failover', password: 'so-secret' };
  const description = join(directory, 'orders.json');
  writeFileSync(
    description,
    JSON.stringify({
      name: 'orders',
      flavour: 'mysql',
      // Nobody listens there.
      instances: [{ name: 'db1', host: 'web1', address: '127.0.0.1', port: 1 }],
      accounts: { failover: account, replication: account, backup: account },
      tls: {},
    }),
  );
  const child = spawn(node, [bundle, 'page', '--cluster', description, '--port', '0'], {
    cwd: directory,
    env: { PATH: '/usr/bin:/bin' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  const at = said.toString().trim();
  t.regex(at, /^http:\/\/localhost:\d+\/$/);
  const page = await fetch(at);
  const html = await page.text();
  const script = /<script type="module">([\s\S]*)<\/script>/.exec(html)?.[1] ?? '';
  t.true(script.length > 10_000);
  const hash = createHash('sha256').update(script).digest('base64');
  t.true(page.headers.get('content-security-policy')?.includes(`'sha256-${hash}'`));
  const text = await (await fetch(`${at}state`)).text();
  const state = JSON.parse(text) as { databases: { name: string }[] };
  t.is(state.databases[0]?.name, 'orders');
  t.false((text + html).includes('so-secret'));
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const [code] = (await ended) as [number | null];
  t.true(code === 0 || code === 130, String(code));
});
