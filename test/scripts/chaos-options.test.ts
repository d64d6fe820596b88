import test from 'ava';

import { chaosOptions, HELP } from '../../scripts/chaos/options.ts';
import { randomFrom } from '../../scripts/chaos/random.ts';
import { ROUND_NAMES } from '../../scripts/chaos/rounds.ts';
import { UserError } from '../../src/lib/errors.ts';

test('without options chaos takes an hour on MySQL in a lab of its own', (t) => {
  const options = chaosOptions([]);
  t.like(options, { minutes: 60, flavour: 'mysql', name: 'test-chaos', keep: false, provisioned: false });
  t.true(Number.isInteger(options?.seed));
  t.is(options?.instances, 3);
  t.deepEqual(options?.only, ROUND_NAMES);
});

test('the options say how long, by which seed, on what', (t) => {
  const argv = [
    '--minutes',
    '0.5',
    '--seed=7',
    '--flavour',
    'mariadb',
    '--name',
    'test-x',
    '--instances=5',
    '--only',
    'disk,copy',
    '--keep',
    '--provisioned',
  ];
  t.deepEqual(chaosOptions(argv), {
    minutes: 0.5,
    seed: 7,
    flavour: 'mariadb',
    name: 'test-x',
    instances: 5,
    only: ['disk', 'copy'],
    keep: true,
    provisioned: true,
  });
});

for (const flag of ['--help', '-h']) {
  test(`${flag} asks for the help, whatever else is said`, (t) => {
    t.is(chaosOptions([flag, '--minutes', 'x']), undefined);
  });
}

test('the help names every option and shows examples', (t) => {
  for (const option of [
    'minutes',
    'seed',
    'flavour',
    'name',
    'instances',
    'only',
    'keep',
    'provisioned',
    'help',
  ])
    t.true(HELP.includes(`--${option}`), option);
  for (const name of ROUND_NAMES) t.true(HELP.includes(name), name);
  t.true(HELP.split('\n').every((line) => line.length <= 120 && line === line.trimEnd()));
  t.regex(HELP, /Examples:\n {2}npm run chaos/);
});

const MISTAKES: readonly (readonly [argv: readonly string[], message: RegExp])[] = [
  [['--minutes', 'long'], /--minutes: expected a number, found "long"/],
  [['--minutes', '1e9x'], /--minutes: expected a number/],
  [['--minutes=-5'], /--minutes: expected a number, found "-5"/],
  [['--minutes'], /--minutes needs a value/],
  [['--minutes', '--seed', '7'], /--minutes needs a value/],
  [['--minutes='], /--minutes: expected a number, found ""/],
  [['--seed', '1.5'], /--seed: expected a whole number, found "1.5"/],
  [['--flavour', 'postgres'], /--flavour: expected mysql or mariadb, found "postgres"/],
  [['--instances', '2'], /--instances: expected a whole number from 3 to 9, found "2"/],
  [['--instances', 'x'], /--instances: .*found "x"/],
  [['--only', 'disk,copies'], /--only: there is no kind of round "copies"/],
  [['--name', 'no/name'], /--name: .*no\/name/],
  [['--minuets', '5'], /there is no option --minuets: did you mean "minutes"\?/],
  [['--keep=yes'], /--keep takes no value, found "yes"/],
  [['60'], /expected options only, found "60"/],
];

for (const [argv, message] of MISTAKES) {
  test(`chaos ${argv.join(' ')} is refused`, (t) => {
    t.throws(() => chaosOptions(argv), { instanceOf: UserError, message });
  });
}

test('all mistakes are told at once, with one hint', (t) => {
  const error = t.throws(() => chaosOptions(['--minutes', 'x', '--flavour', 'y']), { instanceOf: UserError });
  t.is(error.problems.length, 2);
  t.is(error.message.split('hint:').length, 2);
});

test('a seed gives the same choices each time', (t) => {
  const draw = (): readonly unknown[] => {
    const random = randomFrom(7);
    return [random.pick(['a', 'b', 'c', 'd']), random.between(5, 15), random.next()];
  };
  t.deepEqual(draw(), draw());
  t.deepEqual(draw(), ['a', 5.619582575745881, 0.97690763277933]);
});
