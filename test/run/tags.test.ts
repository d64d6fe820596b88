import test from 'ava';

import { isSelected } from '../../src/run/tags.ts';

const CASES: readonly (readonly [
  tags: readonly string[],
  wanted: readonly string[],
  skipped: readonly string[],
  selected: boolean,
])[] = [
  [[], [], [], true],
  [['a'], [], [], true],
  [['a'], ['a'], [], true],
  [['a'], ['b'], [], false],
  [[], ['a'], [], false],
  [['always'], ['a'], [], true],
  [['always'], ['a'], ['always'], false],
  [['always', 'b'], ['a'], ['b'], false],
  [['never'], [], [], false],
  [['never', 'a'], [], [], false],
  [['never', 'a'], ['a'], [], true],
  [['never'], ['never'], [], true],
  [['never'], ['all'], [], false],
  [['a'], ['tagged'], [], true],
  [[], ['tagged'], [], false],
  [[], ['untagged'], [], true],
  [['a'], ['untagged'], [], false],
  [['a'], [], ['a'], false],
  [['a', 'b'], ['a'], ['b'], false],
  [['a'], [], ['tagged'], false],
  [[], [], ['untagged'], false],
];

for (const [tags, wanted, skipped, selected] of CASES) {
  test(`a task tagged [${tags.join()}] is ${selected ? 'in' : 'out'} for --tags [${wanted.join()}] --skip-tags [${skipped.join()}]`, (t) => {
    t.is(isSelected({ tags }, { tags: wanted, skipTags: skipped }), selected);
  });
}
