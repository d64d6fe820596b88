import test from 'ava';
import { output, run } from '../../src/lib/process.ts';

test('a failing program is a result', async (t) => {
  t.deepEqual(await run(['sh', '-c', 'echo out; echo err >&2; exit 3']), {
    status: 3,
    stdout: 'out\n',
    stderr: 'err\n',
  });
});

test('a program that does not exist is a result', async (t) => {
  t.like(await run(['/no/such/program']), { status: -1, stdout: '' });
});

test('a signal counts as in a shell', async (t) => {
  t.is((await run(['sh', '-c', 'kill -9 $$'])).status, 137);
});

test('a program without input reads none, and one that reads none may be given some', async (t) => {
  t.is((await run(['cat'])).stdout, '');
  t.is((await run(['cat'], { input: 'text' })).stdout, 'text');
  t.is((await run(['true'], { input: 'x'.repeat(1_000_000) })).status, 0);
});

test('a program that takes too long is killed', async (t) => {
  t.is((await run(['sleep', '60'], { timeoutMs: 50 })).status, 137);
});

test('output fails with what the program said', async (t) => {
  await t.throwsAsync(output(['sh', '-c', 'echo why >&2; exit 1']), { message: /status 1: why/ });
});
