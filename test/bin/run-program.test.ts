import test from 'ava';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

import { run } from '../../src/lib/process.ts';

const SAMPLE = fileURLToPath(new URL('sample-program.ts', import.meta.url));
const sample = (...args: readonly string[]): ReturnType<typeof run> =>
  run([process.execPath, SAMPLE, ...args], { timeoutMs: 60_000 });

test('--version and --help are answers, not errors', async (t) => {
  t.like(await sample('--version'), { status: 0, stdout: '1.2.3\n', stderr: '' });
  t.like(await sample('--help'), { status: 0, stderr: '' });
});

test('a command decides on the exit code of a success', async (t) => {
  t.like(await sample('drift'), { status: 3, stdout: '', stderr: '' });
});

test('a wrong command line says what would be right', async (t) => {
  const ended = await sample('driff');
  t.is(ended.status, 1);
  t.is(ended.stderr, "error: unknown command 'driff'\n(Did you mean drift?)\n(add --help for all options)\n");
  t.like(await sample('drift', '--loud'), {
    status: 1,
    stderr: "error: unknown option '--loud'\n(add --help for all options)\n",
  });
});

test("a user's mistake is one message without a stack, with its own exit code", async (t) => {
  t.like(await sample('mistake'), {
    status: 4,
    stdout: '',
    stderr: 'error: no such host: web9\n  hint: known: web1\n',
  });
});

test('a bug says that it is one, with its causes', async (t) => {
  const ended = await sample('bug');
  t.is(ended.status, 1);
  t.regex(
    ended.stderr,
    /^Error: outer\n {4}at .*\ncaused by: TypeError: inner\n {4}at .*This is a bug in understudy \d/s,
  );
});

test('a bug outside of every promise is reported too, and ends the program', async (t) => {
  const ended = await sample('late-bug');
  t.is(ended.status, 1);
  t.regex(ended.stderr, /Error: too late.*This is a bug in understudy/s);
});

test('Ctrl-C ends a command that never asked for the signal', async (t) => {
  const { child, ended } = await started('heedless');
  child.kill('SIGINT');
  t.is((await ended).signal, 'SIGINT');
});

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`${signal} stops a command in good order, with the exit code for it`, async (t) => {
    const { child, ended } = await started('heeding');
    child.kill(signal);
    const { status, stderr } = await ended;
    t.is(status, 130);
    t.is(
      stderr,
      '\nStopping after the step that is running; press Ctrl-C again to end at once.\nInterrupted.\n',
    );
  });
}

test('a second Ctrl-C ends a command that takes its time', async (t) => {
  const { child, ended } = await started('stubborn');
  child.kill('SIGINT');
  await once(child.stdout, 'data');
  child.kill('SIGINT');
  t.is((await ended).status, 130);
});

test('a reader that goes away is no error', async (t) => {
  const ended = await run(['sh', '-c', '"$0" "$1" flood | head -n 2', process.execPath, SAMPLE], {
    timeoutMs: 60_000,
  });
  t.like(ended, { status: 0, stdout: '0\n1\n', stderr: '' });
});

interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

/** Starts a command of the sample and waits until it runs. */
async function started(
  command: string,
): Promise<{ child: ChildProcessByStdio<null, Readable, Readable>; ended: Promise<Ended> }> {
  const child = spawn(process.execPath, [SAMPLE, command], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (status, signal) => resolve({ status, signal, stderr }));
  });
  await once(child.stdout, 'data');
  return { child, ended };
}
