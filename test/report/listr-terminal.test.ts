import test from 'ava';
import { join } from 'node:path';

import { run } from '../../src/lib/process.ts';
import { command } from '../../src/lib/shell.ts';

test('on a real terminal a crash in the middle of the live view is reported, and the cursor comes back', async (t) => {
  const program = command([process.execPath, join(import.meta.dirname, 'crashing-program.ts')]);
  const ended = await run(
    ['script', '--quiet', '--return', '--command', `stty cols 100 rows 24; ${program}`, '/dev/null'],
    { env: { ...process.env, TERM: 'xterm', NO_COLOR: '1' }, timeoutMs: 60_000 },
  );
  t.is(ended.status, 1, ended.stdout);
  t.true(ended.stdout.includes('⠋ web1'), 'the view was there');
  t.regex(ended.stdout, /Error: out of the blue[^]*This is a bug in understudy/);
  t.true(ended.stdout.lastIndexOf('\u001b[?25h') > ended.stdout.lastIndexOf('\u001b[?25l'));
});
