import { readFile } from 'node:fs/promises';

import test from 'ava';

import { poll } from '../../src/lib/async.ts';
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

test('a program that takes too long is killed, and so is one that nobody wants any more', async (t) => {
  t.like(await run(['sleep', '60'], { timeoutMs: 50 }), { status: 137, cut: 'time', killedBy: 'SIGKILL' });
  const stop = new AbortController();
  const running = run(['sleep', '60'], { signal: stop.signal });
  stop.abort();
  t.like(await running, { status: 137, cut: 'signal' });
  t.like(await run(['sleep', '60'], { signal: stop.signal }), { cut: 'signal' });
});

test('a program that has ended is not waited for by its limit because of what it left behind', async (t) => {
  let said = '';
  const ended = await run(['sh', '-c', 'sleep 60 & echo $!; exit 3'], {
    timeoutMs: 300,
    onStdout: (chunk) => (said += chunk.toString()),
  });
  process.kill(Number(said), 'SIGKILL');
  t.is(ended.status, 3);
  t.is(ended.cut, undefined, 'it ended by itself');
});

test('what a program has started does not outlive it in a group, and is not waited for without one', async (t) => {
  const script = 'sleep 60 & echo $!; wait';
  for (const wholeGroup of [true, undefined] as const) {
    const stop = new AbortController();
    let said = '';
    const { status, stdout } = await run(['sh', '-c', script], {
      signal: stop.signal,
      wholeGroup,
      onStdout(chunk) {
        said += chunk.toString();
        stop.abort();
      },
    });
    t.is(status, 137);
    t.is(stdout, '', 'it was handed on');
    const child = Number(said);
    if (!wholeGroup) process.kill(child, 'SIGKILL');
    await t.notThrowsAsync(hasEnded(child));
  }
});

/** Nobody may reap it but its new parent, so a zombie has ended as well. */
async function hasEnded(pid: number): Promise<void> {
  const ended = await poll(
    async () => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
      return stat === undefined || / Z /.test(stat) || undefined;
    },
    { everyMs: 5, withinMs: 10_000 },
  );
  if (!ended) throw new Error(`process ${pid} still runs`);
}

test('output fails with what the program said', async (t) => {
  await t.throwsAsync(output(['sh', '-c', 'echo why >&2; exit 1']), { message: /status 1: why/ });
});
