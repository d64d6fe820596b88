import test from 'ava';
import { Command } from 'commander';

import { addExamples, addRunOptions, runOptions } from '../../../src/commands/provision/options.ts';

function parse(...argv: readonly string[]): ReturnType<typeof runOptions> {
  const command = addRunOptions(new Command('up').exitOverride().configureOutput({ writeErr: () => {} }));
  command.parse(argv, { from: 'user' });
  return runOptions(command);
}

const DEFAULTS = {
  inventory: 'inventory/lab',
  tags: [],
  skipTags: [],
  check: false,
  diff: false,
  extraVariables: new Map(),
  forks: 50,
  json: false,
  yes: false,
  verbose: 0,
  forceHandlers: false,
  list: [],
  syntaxCheck: false,
};

const CASES: readonly (readonly [readonly string[], Partial<ReturnType<typeof runOptions>>])[] = [
  [[], {}],
  [['-i', 'hosts.yml', '-l', 'web:!web2'], { inventory: 'hosts.yml', limit: 'web:!web2' }],
  [['--tags', 'a,b', '-t', 'c', '--skip-tags', 'd, e'], { tags: ['a', 'b', 'c'], skipTags: ['d', 'e'] }],
  [['-CD', '-f', '200', '-y', '--json'], { check: true, diff: true, forks: 200, yes: true, json: true }],
  [['-v'], { verbose: 1 }],
  [['-vvv', '-v'], { verbose: 4 }],
  [
    ['--start-at-task', 'Install nginx', '--force-handlers'],
    { startAtTask: 'Install nginx', forceHandlers: true },
  ],
  [['--list-tags', '--list-hosts'], { list: ['hosts', 'tags'] }],
  [['--syntax-check'], { syntaxCheck: true }],
  [
    ['-e', 'a=1 b=2', '-e', '{"b": 3}'],
    {
      extraVariables: new Map<string, unknown>([
        ['a', '1'],
        ['b', 3],
      ]) as never,
    },
  ],
];

for (const [argv, expected] of CASES) {
  test(`the options of a run: ${argv.length === 0 ? 'none' : argv.join(' ')}`, (t) => {
    t.deepEqual(parse(...argv), { ...DEFAULTS, ...expected });
  });
}

for (const argv of [
  ['-f', '0'],
  ['-f', 'many'],
  ['-t', 'a,,b'],
  ['--frks', '3'],
]) {
  test(`a wrong option is refused: ${argv.join(' ')}`, (t) => {
    t.throws(() => parse(...argv), { name: 'CommanderError' });
  });
}

test('a second command line does not see the values of the first', (t) => {
  t.deepEqual(parse('-t', 'a', '-e', 'x=1').tags, ['a']);
  t.deepEqual(parse(), DEFAULTS);
});

test('a command that cannot check has no --check', (t) => {
  const command = addRunOptions(new Command('check'), { omit: ['check'] });
  t.false(command.options.some((option) => option.long === '--check'));
});

test('examples stand aligned below the help', (t) => {
  const command = new Command('up');
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) });
  addExamples(command, [
    ['provision up', 'all'],
    ['provision up -l web', 'some'],
  ]).outputHelp();
  t.true(text.endsWith('\nExamples:\n  provision up         all\n  provision up -l web  some\n'), text);
});
