import test from 'ava';

import { limitsText } from '../../../src/commands/provision/limits-text.ts';

const now = {
  client: '203.0.113.7',
  table: 'clients',
  refused: 40,
  refusedInMinute: 12,
  rates: { requests: 3400, errors: 0, uploadedBytes: 3 * 1_048_576 },
};
const before = {
  client: '2001:db8::/64',
  table: 'path_login',
  refused: 4,
  refusedInMinute: 0,
  rates: { requests: 0 },
};

test('who is refused now is shown with the limit and what they do', (t) => {
  t.is(
    limitsText([now, before], false),
    '203.0.113.7: refused 12 times in the last minute, 40 in all (clients); now 3400 requests and 3 MiB sent in 10 s\n',
  );
});

test('who was refused before is shown when all are wanted', (t) => {
  t.regex(
    limitsText([before], true),
    /^2001:db8::\/64: refused 0 times .*4 in all \(the paths of "login"\); nothing now\n$/,
  );
  t.is(limitsText([before], false), 'nobody was refused anything in the last minute, and 1 before (--all)\n');
  t.is(limitsText([], false), 'nobody was refused anything in the last minute\n');
});
