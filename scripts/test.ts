// What `npm test` runs: the checks, the unit tests, and on real hosts the lab tests. --unit and --lab select.
import { spawn } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { buildBundles, ensureNode, ROOT, runTool, toolEnvironment } from './common.ts';
import { scriptCommand } from './options.ts';
import { installPackages, missingPackages, TEST_PACKAGES } from './packages.ts';
import { TapReader, type Tally } from './tap.ts';

ensureNode();

const only = scriptCommand('test', 'runs the checks and the tests; without options all of them', [
  ['npm test', 'checks, unit tests, and as root the tests on real hosts'],
  ['npm test -- --unit', 'checks and unit tests'],
  ["npx ava 'test/lib/**/*.test.ts'", 'a part of them'],
])
  .option('--unit', 'only checks and unit tests')
  .option('--lab', 'only the tests on real hosts, which take root')
  .parse()
  .opts<{ unit?: true; lab?: true }>();
const all = only.unit !== true && only.lab !== true;
const wantsUnit = all || only.unit === true;
const wantsLab = all || only.lab === true;
const isRoot = process.getuid?.() === 0;
const isCi = process.env['CI'] === 'true';

const total: Tally = { passed: 0, failed: 0, skipped: 0 };
const failures: string[] = [];
const troubles: string[] = [];

await providePackages();
if (all || wantsUnit) await check();
if (wantsUnit) await ava('Unit tests', ['test/**/*.test.ts', '!test/lab/**']);
if (wantsLab) await labTests();

for (const name of failures) process.stdout.write(`✖ ${name}\n`);
for (const trouble of troubles) process.stdout.write(`✖ ${trouble}\n`);
if (total.skipped > 0) process.stdout.write(`${total.skipped} skipped\n`);
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed\n`);
process.exitCode = total.failed > 0 || troubles.length > 0 ? 1 : 0;

/** Installs what is missing where we may, and otherwise says which tests miss it. */
async function providePackages(): Promise<void> {
  if (!existsSync('/usr/bin/dpkg-query')) {
    const message = 'this is no Debian: tests that need what its packages have fail where that is missing';
    if (isCi) troubles.push(message);
    else {
      heading(message);
      describePackages(TEST_PACKAGES.filter(({ tests }) => (tests === 'lab' ? wantsLab : wantsUnit)));
    }
    return;
  }
  const wanted = async (): ReturnType<typeof missingPackages> =>
    (await missingPackages()).filter(({ tests }) => (tests === 'lab' ? wantsLab : wantsUnit));
  const needed = await wanted();
  if (needed.length === 0) return;
  if (isRoot) {
    heading(`Installing packages that the tests need: ${names(needed)}`);
    const failure = await installPackages(needed.map(({ name }) => name));
    if (failure !== undefined) process.stdout.write(`${failure}\n`);
  }
  const missing = await wanted();
  if (missing.length === 0) return;
  heading(isRoot ? 'Packages that could not be installed:' : 'Missing, and only root can install it:');
  describePackages(missing);
  process.stdout.write(`  hint: apt-get install ${names(missing)}\n`);
  if (isCi) troubles.push(`missing packages: ${names(missing)}`);
}

function describePackages(packages: typeof TEST_PACKAGES): void {
  for (const { name, why, tests } of packages)
    process.stdout.write(`  ${name.padEnd(22)} ${tests} tests: ${why}\n`);
}

function names(packages: readonly { readonly name: string }[]): string {
  return [...new Set(packages.map(({ name }) => name))].join(' ');
}

async function check(): Promise<void> {
  const steps = [
    ['tsc', '--noEmit'],
    ['oxlint', '--type-aware'],
    ['oxfmt', '--check'],
  ] as const;
  for (const [tool, ...args] of steps) {
    heading([tool, ...args].join(' '));
    if ((await runTool(tool, args)) !== 0) troubles.push(`${tool} ${args.join(' ')} found something`);
  }
}

async function labTests(): Promise<void> {
  if (globSync('test/lab/**/*.test.ts', { cwd: ROOT }).length === 0) return;
  if (!isRoot) {
    const message = 'the lab tests need root: they boot real hosts (sudo npm run test:lab)';
    heading(message);
    if (isCi || only.lab === true) troubles.push(message);
    return;
  }
  const failed = await buildBundles();
  if (failed.length > 0) {
    troubles.push(`${failed.join(' and ')} failed: the lab tests would run what was built before`);
    return;
  }
  await removeLeftovers();
  await ava('Lab tests', ['--serial', '--concurrency=1', '--timeout=30m', 'test/lab/**/*.test.ts']);
}

/** An earlier run may have been killed: its labs would be in the way. */
async function removeLeftovers(): Promise<void> {
  const { allStates } = await import('../src/lab/state.ts');
  const { down } = await import('../src/lab/lab.ts');
  for (const { name } of await allStates()) {
    if (!name.startsWith('test')) continue;
    heading(`Removing the lab ${name} of an earlier run`);
    await down({ name });
  }
}

/** Runs AVA and passes its tests on as they end. */
async function ava(title: string, args: readonly string[]): Promise<void> {
  heading(title);
  const child = spawn(
    process.execPath,
    [join(ROOT, 'node_modules/ava/entrypoints/cli.js'), '--tap', ...args],
    {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: toolEnvironment(),
    },
  );
  const closed = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve(status ?? 1));
  });
  const reader = new TapReader();
  for await (const line of createInterface({ input: child.stdout })) {
    const text = reader.read(line);
    if (text !== undefined) process.stdout.write(`${text}\n`);
  }
  const status = await closed;
  total.passed += reader.tally.passed;
  total.failed += reader.tally.failed;
  total.skipped += reader.tally.skipped;
  failures.push(...reader.failures);
  if (status !== 0 && reader.tally.failed === 0) troubles.push(`${title}: AVA ended with ${status}`);
  if (status === 0 && reader.tally.passed === 0) troubles.push(`${title}: no test ran`);
}

function heading(text: string): void {
  process.stdout.write(`\n${text}\n`);
}
