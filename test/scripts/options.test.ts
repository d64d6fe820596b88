import { fileURLToPath } from 'node:url';
import test from 'ava';

import { run } from '../../src/lib/process.ts';

/* Each script of package.json that takes options, called as npm calls it. None of these calls does anything. */

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const SCRIPTS = [
  'scripts/start.ts',
  'scripts/test.ts',
  'scripts/build.ts',
  'scripts/chaos.ts',
  'bench/run.ts',
] as const;

const call = (script: string, ...args: readonly string[]) =>
  run([process.execPath, script, ...args], { cwd: ROOT, timeoutMs: 60_000 });

for (const script of SCRIPTS) {
  test(`${script} --help shows the options and examples`, async (t) => {
    for (const flag of ['--help', '-h']) {
      const { status, stdout, stderr } = await call(script, flag);
      t.deepEqual([status, stderr], [0, '']);
      t.regex(stdout, /^Usage: npm run \w+ -- /);
      t.regex(stdout, /Options:\n[\s\S]*--help/);
      t.regex(stdout, /Examples:\n {2}np/);
    }
  });

  test(`${script} names a wrong option and shows no stack`, async (t) => {
    const { status, stdout, stderr } = await call(script, '--no-such-option');
    t.is(status, 1);
    t.is(stdout, '');
    t.regex(stderr, /^error: .*--no-such-option/);
    t.regex(stderr, /hint: npm run \w+ -- --help/);
    t.notRegex(stderr, /^\s+at /m);
  });
}

const MISTAKES: readonly (readonly [script: string, args: readonly string[], message: RegExp])[] = [
  ['bench/run.ts', ['--only', 'site,nothing'], /there is no part "nothing": expected some of bare, site/],
  ['bench/run.ts', ['--runs', '0'], /expected a whole number above 0/],
  ['bench/run.ts', ['--runs', 'many'], /expected a whole number above 0/],
  ['bench/run.ts', ['--name', 'no/name'], /no\/name/],
  ['bench/run.ts', ['--only'], /argument missing/],
  ['scripts/test.ts', ['--uni'], /Did you mean --unit/],
  ['scripts/test.ts', ['test/lib'], /too many arguments/],
  ['scripts/build.ts', ['dist'], /too many arguments/],
  ['scripts/start.ts', ['--difff'], /Did you mean --diff/],
  ['scripts/start.ts', ['--forks', 'x'], /forks/],
];

for (const [script, args, message] of MISTAKES) {
  test(`${script} ${args.join(' ')} says what is wrong`, async (t) => {
    const { status, stderr } = await call(script, ...args);
    t.is(status, 1);
    t.regex(stderr, message);
    t.notRegex(stderr, /^\s+at /m);
  });
}
