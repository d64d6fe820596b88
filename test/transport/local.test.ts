import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { quote } from '../../src/lib/shell.ts';
import { localTransport } from '../../src/transport/local.ts';
import type { Connection } from '../../src/transport/transport.ts';
import { needsProgram, testWith } from '../needs.ts';

/** The shells that are `sh` somewhere: Debian's, Red Hat's, Alpine's. */
const SHELLS = [
  { name: 'dash', program: '/bin/dash' },
  { name: 'bash', program: '/bin/bash' },
  { name: 'busybox', program: '/bin/busybox' },
];

async function connection(t: ExecutionContext, program?: string): Promise<Connection> {
  const directory = await mkdtemp(join(tmpdir(), 'understudy-local-'));
  if (program) await symlink(program, join(directory, 'sh'));
  const transport = localTransport({ env: { ...process.env, PATH: `${directory}:${process.env['PATH']}` } });
  t.teardown(async () => {
    await transport.close();
    await rm(directory, { recursive: true, force: true });
  });
  return await transport.connect({ name: 'here', address: 'localhost' });
}

/** Waits until a process is gone (or is a zombie that nobody has collected). */
async function gone(pid: number): Promise<boolean> {
  for (let tries = 0; tries < 200; tries++) {
    if (!alive(pid)) return true;
    await delay(25);
  }
  return false;
}

function alive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

interface Case {
  readonly title: string;
  readonly script: string;
  readonly stdin?: Buffer;
  readonly status?: number;
  readonly stdout?: string;
  readonly stderr?: RegExp;
}

const CASES: readonly Case[] = [
  {
    title: 'stdout and stderr are kept apart',
    script: 'echo out; echo err >&2',
    stdout: 'out\n',
    stderr: /^err\n$/,
  },
  { title: 'output need not end in a newline', script: 'printf a; printf b >&2', stdout: 'a', stderr: /^b$/ },
  { title: 'a script exits with a status', script: 'exit 7', status: 7 },
  { title: 'the status is that of the last command', script: 'true\nfalse', status: 1 },
  {
    title: 'a syntax error fails only its script',
    script: 'if then fi',
    status: 2,
    stderr: /[Ss]yntax error/,
  },
  { title: 'an unclosed quote fails only its script', script: "echo 'abc", status: 2, stderr: /./ },
  {
    title: 'an unclosed here-document ends with its script',
    script: 'cat <<X\nabc\n',
    stdout: 'abc\n',
    stderr: /^/,
  },
  { title: 'a here-document is one', script: 'cat <<X\nabc\nX\necho after', stdout: 'abc\nafter\n' },
  { title: 'set -e ends the script', script: 'set -e; false; echo no', status: 1 },
  {
    title: 'an exit trap runs at the end of its script',
    script: 'trap "echo bye" EXIT; exit 3',
    status: 3,
    stdout: 'bye\n',
  },
  { title: 'exec replaces only its script', script: 'exec echo replaced', stdout: 'replaced\n' },
  { title: 'stdin is empty', script: 'cat; echo end', stdout: 'end\n' },
  {
    title: 'stdin data reaches the script',
    script: 'cat; exit 4',
    stdin: Buffer.from("it's\n"),
    stdout: "it's\n",
    status: 4,
  },
  {
    title: 'stdin data that is not read does no harm',
    script: 'echo x',
    stdin: Buffer.alloc(300_000, 'y'),
    stdout: 'x\n',
  },
  { title: 'empty stdin data is empty', script: 'cat', stdin: Buffer.alloc(0), stdout: '' },
  { title: 'file descriptor 3 is the script’s own', script: 'echo x >&3', status: 2, stderr: /./ },
  {
    title: 'a signal gives a status above 128',
    script: "sh -c 'kill -s KILL $$'",
    status: 137,
    stderr: /.*/,
  },
];

/** What each script might have left behind. */
const UNTOUCHED = 'echo "[$x] [$(pwd)] [$(umask)] [$LC_ALL]"; trap; set -e; false || true; echo ok';

for (const shell of SHELLS) {
  testWith(needsProgram(basename(shell.program), shell.name), test)(
    `scripts stay within themselves in ${shell.name}`,
    async (t) => {
      const here = await connection(t, shell.program);
      const clean = (await here.run(UNTOUCHED)).stdout.toString();
      t.is(clean, `[] [${process.cwd()}] [0022] [C.UTF-8]\nok\n`);
      for (const one of CASES) {
        const result = await here.run(one.script, one.stdin ? { stdin: one.stdin } : {});
        t.is(result.stdout.toString(), one.stdout ?? '', `${one.title}: stdout`);
        t.regex(result.stderr.toString(), one.stderr ?? /^$/, `${one.title}: stderr`);
        if (one.status === 2) t.not(result.status, 0, `${one.title}: status`);
        else t.is(result.status, one.status ?? 0, `${one.title}: status`);
        t.false(result.timedOut, one.title);
      }
      await here.run(
        'cd /; x=1; export x; umask 077; trap "echo leaked" EXIT; set -u; alias echo=false; echo() { false; }',
      );
      t.is((await here.run(UNTOUCHED)).stdout.toString(), clean);
    },
  );

  testWith(needsProgram(basename(shell.program), shell.name), test)(
    `any bytes pass through ${shell.name} in both directions`,
    async (t) => {
      const here = await connection(t, shell.program);
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (array) => {
          const bytes = Buffer.from(array);
          const result = await here.run('tee /dev/stderr', { stdin: bytes });
          t.deepEqual(result.stdout, bytes);
          t.deepEqual(result.stderr, bytes);
        }),
        { numRuns: 60 },
      );
    },
  );

  testWith(needsProgram(basename(shell.program), shell.name), test)(
    `any word survives quoting in ${shell.name}`,
    async (t) => {
      const here = await connection(t, shell.program);
      const word = fc.string({
        unit: fc.oneof(
          fc.string({ minLength: 1, maxLength: 1, unit: 'binary' }),
          fc.constantFrom(...`'"\\$\`!*?~#&;|<>(){}[] \n\t`),
        ),
      });
      await fc.assert(
        fc.asyncProperty(
          fc.array(
            word.filter((text) => !text.includes('\0') && text.isWellFormed()),
            { maxLength: 6 },
          ),
          async (words) => {
            const result = await here.run(
              `for w in ${words.map(quote).join(' ')}; do printf '%s\\0' "$w"; done`.replace('in ;', 'in; '),
            );
            t.is(result.stdout.toString(), words.map((one) => `${one}\0`).join(''));
          },
        ),
        { numRuns: 60 },
      );
    },
  );

  testWith(needsProgram(basename(shell.program), shell.name), test)(
    `a time limit ends every process of the script in ${shell.name}`,
    async (t) => {
      const here = await connection(t, shell.program);
      const result = await here.run(
        [
          'sleep 400 & echo $!', // a child
          '( sleep 401 & echo $! )', // orphaned at once
          'sh -c \'trap "" TERM; echo $$; while :; do sleep 1; done\' & wait', // deaf to TERM
        ].join('\n'),
        { timeoutMs: 400 },
      );
      t.true(result.timedOut);
      t.true(result.status === 143 || result.status === 137, `status ${result.status}`);
      const pids = result.stdout.toString().trim().split('\n').map(Number);
      t.is(pids.length, 3);
      for (const pid of pids) t.true(await gone(pid), `process ${pid} is still there`);
      t.is((await here.run('echo works')).stdout.toString(), 'works\n');
    },
  );
}

test('a daemon that keeps stdout open does not hold the run up, and survives the next time limit', async (t) => {
  const here = await connection(t);
  const started = await here.run('sleep 60 & echo $!');
  const pid = Number(started.stdout.toString());
  t.teardown(() => process.kill(pid));
  t.true(alive(pid));
  // Processes are told apart by when they began, which Linux counts in hundredths of a second.
  await delay(20);
  t.true((await here.run('sleep 50', { timeoutMs: 100 })).timedOut);
  t.true(alive(pid));
});

test('an aborted run is rejected with the reason, and its processes are ended', async (t) => {
  const here = await connection(t);
  const abort = new AbortController();
  const pid = Promise.withResolvers<number>();
  const running = here.run('echo $$; sleep 500 & echo $!; wait', {
    signal: abort.signal,
    onStdout: (chunk) => {
      const [, second] = chunk.toString().trim().split('\n');
      if (second) pid.resolve(Number(second));
    },
  });
  const child = await pid.promise;
  abort.abort(new Error('enough'));
  await t.throwsAsync(running, { message: 'enough' });
  t.true(await gone(child));
  t.is((await here.run('echo works')).stdout.toString(), 'works\n');
});

test('a run that is aborted before its turn never starts', async (t) => {
  const here = await connection(t);
  const abort = new AbortController();
  const directory = await mkdtemp(join(tmpdir(), 'understudy-abort-'));
  t.teardown(async () => await rm(directory, { recursive: true }));
  const first = here.run('sleep 0.3; echo first');
  const second = here.run(`touch ${quote(join(directory, 'made'))}`, { signal: abort.signal });
  abort.abort(new Error('enough'));
  await t.throwsAsync(second, { message: 'enough' });
  t.is((await first).stdout.toString(), 'first\n');
  await here.run('true');
  t.false(existsSync(join(directory, 'made')));
});

test('a script that kills its own shell is reported, and the next script has a new shell', async (t) => {
  const here = await connection(t);
  await t.throwsAsync(here.run('kill -s KILL $$; sleep 1'), { message: /the shell on the host ended/ });
  t.is((await here.run('echo works')).stdout.toString(), 'works\n');
});

test('no word of a script or its stdin is in an argument list', async (t) => {
  const here = await connection(t);
  const listing = await here.run('cat >/dev/null; : the-secret-word; cat /proc/[0-9]*/cmdline', {
    stdin: Buffer.from('other-secret-word'),
  });
  const everything = listing.stdout.toString('latin1');
  t.true(everything.includes('cat'));
  t.false(everything.includes('the-secret-word'));
  t.false(everything.includes('other-secret-word'));
});

test('files travel in both directions, small and large, with mode 0600', async (t) => {
  const here = await connection(t);
  for (const size of [0, 10, 100_000, 3_000_000]) {
    const content = Buffer.alloc(size, 'understudy\0');
    const path = await here.upload(content);
    t.teardown(async () => await rm(path, { force: true }));
    t.true((await here.download(path)).equals(content));
    t.is((await here.run(`stat -c %a ${quote(path)}`)).stdout.toString(), '600\n');
    const copy = await here.upload({ localFile: path });
    t.teardown(async () => await rm(copy, { force: true }));
    t.true((await here.download(copy)).equals(content));
  }
  await t.throwsAsync(here.download('/nowhere/at/all'), {
    message: /here: cannot read \/nowhere\/at\/all: .*No such file/,
  });
});

test('stdin larger than the shell should hold reaches the script all the same', async (t) => {
  const here = await connection(t);
  const stdin = Buffer.alloc(2_000_000, 'abc\0');
  const result = await here.run('wc -c; ls -l /proc/self/fd/0', { stdin });
  t.regex(result.stdout.toString(), /^2000000\n/);
});

test('when the tool is killed, a running script goes on to its end and its output does not fail', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'understudy-orphan-'));
  t.teardown(async () => await rm(directory, { recursive: true, force: true }));
  const done = join(directory, 'done');
  const script = `echo started; sleep 0.5; i=0; while [ $i -lt 5000 ]; do echo "line $i" || exit; i=$((i+1)); done; echo end >${quote(done)}`;
  const program = join(directory, 'program.ts');
  const source = new URL('../../src/transport/local.ts', import.meta.url);
  await writeFile(
    program,
    `import { localTransport } from ${JSON.stringify(source.href)};
const here = await localTransport().connect({ name: 'here', address: 'localhost' });
await here.run(${JSON.stringify(script)}, { onStdout: (chunk) => process.stdout.write(chunk) });`,
  );
  const tool = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(tool.stdout, 'data');
  tool.kill('SIGKILL');
  for (let tries = 0; tries < 400 && !existsSync(done); tries++) await delay(25);
  t.is(readFileSync(done, 'utf8'), 'end\n');
});

test('with a time limit, a script does not outlive a tool that was killed', async (t) => {
  // The watchdog of the host waits ten seconds longer than the limit; a shell of our own shortens that.
  t.timeout(60_000);
  const here = await connection(t);
  const result = await here.run(
    'sleep 300 & echo $!; ( __watch 1 ) >/dev/null 2>&1 & wait $!; echo not reached',
    { timeoutMs: 30_000 },
  );
  const [pid] = result.stdout.toString().split('\n').map(Number);
  t.true(await gone(pid ?? 0));
  t.false(result.timedOut);
  t.is(execFileSync('sh', ['-c', 'echo fine']).toString(), 'fine\n');
});
