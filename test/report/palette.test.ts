import test from 'ava';

import { palette, wantsColour } from '../../src/report/palette.ts';

const CASES = [
  { name: 'a terminal', stream: { isTTY: true }, environment: {}, colour: true },
  { name: 'a pipe', stream: {}, environment: {}, colour: false },
  {
    name: 'a terminal with NO_COLOR',
    stream: { isTTY: true },
    environment: { NO_COLOR: '1' },
    colour: false,
  },
  {
    name: 'a terminal with an empty NO_COLOR',
    stream: { isTTY: true },
    environment: { NO_COLOR: '' },
    colour: true,
  },
  { name: 'a dumb terminal', stream: { isTTY: true }, environment: { TERM: 'dumb' }, colour: false },
  { name: 'a pipe with FORCE_COLOR', stream: {}, environment: { FORCE_COLOR: '1' }, colour: true },
  {
    name: 'NO_COLOR against FORCE_COLOR',
    stream: {},
    environment: { NO_COLOR: '1', FORCE_COLOR: '1' },
    colour: false,
  },
];

for (const { name, stream, environment, colour } of CASES) {
  test(`${name} ${colour ? 'has' : 'has no'} colours`, (t) => {
    const painted = palette(wantsColour(stream, environment)).failed('x');
    t.is(painted, colour ? '\u001b[31mx\u001b[39m' : 'x');
  });
}
