import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';
import fc from 'fast-check';

import { needsRoot, testWith } from '../../needs.ts';
import type { FileAttributes, Step } from '../../../src/steps/step.ts';
import { stepScript } from '../../../src/run/host/step-script.ts';

type WriteStep = Extract<Step, { kind: 'write' }>;

function withDirectory(work: (directory: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-step-'));
  try {
    work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function write(path: string, content: string | Buffer, more: Partial<WriteStep> = {}): WriteStep {
  return { kind: 'write', path, content: Buffer.from(content), attributes: {}, ...more };
}

function sh(script: string): { status: number | null; stderr: string; stdout: string } {
  const { status, stderr, stdout } = spawnSync('/bin/sh', [], { input: script, encoding: 'utf8' });
  return { status, stderr, stdout };
}

test('any bytes are written as they are, to any file name', (t) => {
  const name = fc
    .string({ unit: 'binary', minLength: 1, maxLength: 30 })
    .map((text) => text.replaceAll(/[\0/]/g, '_'))
    .filter((text) => !['.', '..'].includes(text) && Buffer.byteLength(text) < 200);
  withDirectory((directory) => {
    fc.assert(
      fc.property(name, fc.uint8Array({ maxLength: 300 }), (file, bytes) => {
        const path = join(directory, file);
        const result = sh(stepScript(write(path, Buffer.from(bytes)), {}));
        t.is(result.status, 0, result.stderr);
        t.deepEqual([...readFileSync(path)], [...bytes]);
      }),
      { numRuns: 40 },
    );
  });
});

test('a file of the target is copied as it is, whatever its name', (t) => {
  withDirectory((directory) => {
    const from = join(directory, `-a 'b"$c`);
    const to = join(directory, 'copy');
    writeFileSync(from, Buffer.from([0, 255, 10]));
    chmodSync(from, 0o600);
    const { status, stderr } = sh(stepScript({ ...write(to, ''), content: { targetFile: from } }, {}));
    t.is(status, 0, stderr);
    t.deepEqual([...readFileSync(to)], [0, 255, 10]);
    t.is(statSync(to).mode & 0o777, 0o666 & ~process.umask());
    t.not(sh(stepScript({ ...write(to, ''), content: { targetFile: `${from} gone` } }, {})).status, 0);
    t.deepEqual([...readFileSync(to)], [0, 255, 10], 'what was there stays');
  });
});

test('any text is written as it is', (t) => {
  withDirectory((directory) => {
    const path = join(directory, 'file');
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.constant("-n %s \\n '\r\n\u0081\ufeff\n\n"),
    );
    fc.assert(
      fc.property(text, (content) => {
        const result = sh(stepScript(write(path, content), {}));
        t.is(result.status, 0, result.stderr);
        t.deepEqual(readFileSync(path), Buffer.from(content));
      }),
      { numRuns: 60 },
    );
  });
});

test('a new file gets what the umask leaves, an existing one keeps its mode, and a given mode wins', (t) => {
  withDirectory((directory) => {
    const path = join(directory, 'file');
    sh(`umask 027\n${stepScript(write(path, 'one'), {})}`);
    t.is(statSync(path).mode & 0o7777, 0o640);
    chmodSync(path, 0o604);
    sh(stepScript(write(path, 'two'), {}));
    t.is(statSync(path).mode & 0o7777, 0o604);
    sh(stepScript(write(path, 'three', { attributes: { mode: '0600' } }), {}));
    t.is(statSync(path).mode & 0o7777, 0o600);
    t.is(readFileSync(path, 'utf8'), 'three');
  });
});

const asRoot = testWith(needsRoot(), test);

asRoot('an existing file keeps its owner and group, and those that are given win', (t) => {
  withDirectory((directory) => {
    const path = join(directory, 'file');
    const owners = (): readonly number[] => [statSync(path).uid, statSync(path).gid];
    const cases: readonly (readonly [FileAttributes, readonly number[]])[] = [
      [{}, [65534, 1]],
      [{ mode: '0600' }, [65534, 1]],
      [{ owner: '0' }, [0, 1]],
      [{ group: '0' }, [65534, 0]],
      [{ owner: '2', group: '3', mode: 'u=rw' }, [2, 3]],
    ];
    for (const [attributes, expected] of cases) {
      writeFileSync(path, 'old');
      chownSync(path, 65534, 1);
      const result = sh(stepScript(write(path, 'new', { attributes }), {}));
      t.is(result.status, 0, result.stderr);
      t.deepEqual(owners(), expected);
    }
  });
});

test('a file that does not validate is not put in place, and nothing is left behind', (t) => {
  withDirectory((directory) => {
    const path = join(directory, 'file');
    writeFileSync(path, 'good\n');
    const result = sh(stepScript(write(path, 'bad\n', { validate: 'grep -q good %s' }), {}));
    t.not(result.status, 0);
    t.regex(result.stderr, /validation failed, .*file is left as it was/);
    t.is(readFileSync(path, 'utf8'), 'good\n');
    t.deepEqual(readdirSync(directory), ['file']);
    t.is(sh(stepScript(write(path, 'still good\n', { validate: 'grep -q good %s' }), {})).status, 0);
  });
});

test('a backup keeps what was there', (t) => {
  withDirectory((directory) => {
    const path = join(directory, 'file');
    writeFileSync(path, 'old');
    sh(stepScript(write(path, 'new', { backup: true }), {}));
    const backup = readdirSync(directory).find((name) => name !== 'file');
    t.truthy(backup);
    t.is(readFileSync(join(directory, backup ?? ''), 'utf8'), 'old');
  });
});

test('a directory of the same name is not overwritten', (t) => {
  withDirectory((directory) => {
    const path = join(directory, 'taken');
    sh(`mkdir '${path}'`);
    t.not(sh(stepScript(write(path, 'text'), {})).status, 0);
    t.true(statSync(path).isDirectory());
    t.deepEqual(readdirSync(path), []);
  });
});

test('a command gets its environment, directory and input', (t) => {
  const script = stepScript(
    { kind: 'command', run: { shell: 'pwd; printf "%s|" "$GREETING"; cat' }, chdir: '/tmp', stdin: "it's\n" },
    { GREETING: 'hello $HOME' },
  );
  t.is(sh(script).stdout, "/tmp\nhello $HOME|it's\n");
});

test('arguments reach a command untouched', (t) => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 20 }).map((text) => text.replaceAll('\0', ''))), (words) => {
      const script = stepScript({ kind: 'command', run: { argv: ['printf', '%s\\n', ...words, 'end'] } }, {});
      t.is(sh(script).stdout, [...words, 'end'].map((word) => `${word}\n`).join(''));
    }),
    { numRuns: 40 },
  );
});

test('a file that only its owner may read is never readable for others, not even for a moment', (t) => {
  withDirectory((directory) => {
    const log = join(directory, 'log');
    writeFileSync(log, '');
    writeFileSync(join(directory, 'chmod'), `#!/bin/sh\necho "$1" >> '${log}'\nexec /bin/chmod "$@"\n`, {
      mode: 0o755,
    });
    const path = join(directory, 'secret');
    for (const content of ['first', 'second']) {
      const script = stepScript(write(path, content, { attributes: { mode: '0600' } }), {});
      t.is(sh(`umask 022; PATH='${directory}':$PATH\n${script}`).status, 0);
    }
    t.is(readFileSync(log, 'utf8'), '0600\n0600\n');
  });
});

test('a file in the place of a symbolic link never gets the mode of the link, which is 0777', (t) => {
  withDirectory((directory) => {
    const [real, link] = [join(directory, 'real'), join(directory, 'link')];
    const modeOf = (path: string): string => (lstatSync(path).mode & 0o7777).toString(8);
    const cases: readonly (readonly [Partial<WriteStep>, string])[] = [
      [{}, '640'],
      [{ attributes: { mode: 'g+w' } }, '660'],
      [{ attributes: { mode: '+x' } }, '751'],
      [{ linkIsNew: true }, '644'],
      [{ linkIsNew: true, attributes: { mode: 'g+w' } }, '664'],
      [{ linkIsNew: true, attributes: { mode: '+x' } }, '755'],
      [{ linkIsNew: true, attributes: { mode: '0600' } }, '600'],
    ];
    for (const [more, expected] of cases) {
      rmSync(link, { force: true });
      rmSync(real, { force: true });
      writeFileSync(real, 'real');
      chmodSync(real, 0o640);
      symlinkSync('real', link);
      const result = sh(`umask 022\n${stepScript(write(link, 'new', more), {})}`);
      t.is(result.status, 0, result.stderr);
      t.true(lstatSync(link).isFile());
      t.is(modeOf(link), expected, JSON.stringify(more));
      t.is(modeOf(real), '640');
      t.is(readFileSync(real, 'utf8'), 'real');
    }
  });
});

asRoot('a file in the place of a symbolic link has the owner of the file there, or of a new one', (t) => {
  withDirectory((directory) => {
    const [real, link] = [join(directory, 'real'), join(directory, 'link')];
    writeFileSync(real, 'real');
    chownSync(real, 65534, 1);
    for (const [linkIsNew, expected] of [
      [false, [65534, 1]],
      [true, [0, 0]],
    ] as const) {
      rmSync(link, { force: true });
      symlinkSync('real', link);
      t.is(sh(stepScript(write(link, 'new', { linkIsNew }), {})).status, 0);
      t.deepEqual([lstatSync(link).uid, lstatSync(link).gid], [...expected]);
    }
  });
});

asRoot('a mount point is written into when that is allowed, and named when it is not', (t) => {
  withDirectory((directory) => {
    const [path, source] = [join(directory, 'mounted'), join(directory, 'source')];
    writeFileSync(path, 'below');
    writeFileSync(source, 'old');
    chmodSync(source, 0o640);
    // In a mount namespace of its own, so that nothing is left mounted.
    const inside = (script: string) =>
      spawnSync('unshare', ['--mount', '/bin/sh'], {
        input: `mount --bind '${source}' '${path}'\n(\n${script}\n)`,
        encoding: 'utf8',
      });
    const refused = inside(stepScript(write(path, 'new'), {}));
    t.not(refused.status, 0);
    t.regex(refused.stderr, /mounted is a mount point.*unsafe_writes: true/);
    t.is(readFileSync(source, 'utf8'), 'old');
    const done = inside(stepScript(write(path, 'new', { unsafe: true, validate: 'grep -q new %s' }), {}));
    t.is(done.status, 0, done.stderr);
    t.is(readFileSync(source, 'utf8'), 'new');
    t.is(statSync(source).mode & 0o7777, 0o640);
    inside(stepScript(write(path, 'newer', { unsafe: true, attributes: { mode: '0600' } }), {}));
    t.is(readFileSync(source, 'utf8'), 'newer');
    t.is(statSync(source).mode & 0o7777, 0o600);
    t.deepEqual(readdirSync(directory).sort(), ['mounted', 'source']);
    t.is(readFileSync(path, 'utf8'), 'below');
  });
});

asRoot('a file in a directory that cannot be written is written into when that is allowed', (t) => {
  withDirectory((directory) => {
    const path = join(directory, 'file');
    writeFileSync(path, 'old');
    const script = (more: Partial<WriteStep>) => `
      mount --bind '${directory}' '${directory}' && mount -o remount,ro,bind '${directory}'
      mount -t tmpfs none /mnt && echo old > /mnt/file && mount --bind /mnt/file '${path}'
      (\n${stepScript(write(path, 'new\n', more), {})}\n); echo "status $?"; cat '${path}'`;
    const run = (more: Partial<WriteStep>) =>
      spawnSync('unshare', ['--mount', '/bin/sh'], { input: script(more), encoding: 'utf8' });
    t.regex(run({}).stdout, /status [1-9]\d*\nold\n$/);
    const done = run({ unsafe: true, validate: "grep -q new '%s'" });
    t.regex(done.stdout, /status 0\nnew\n$/, done.stderr);
  });
});
