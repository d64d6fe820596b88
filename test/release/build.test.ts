import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { output } from '../../src/lib/process.ts';
import { withBuild } from '../../src/release/build.ts';
import { type Commit, findCommit, refProblem } from '../../src/release/git.ts';
import { needsProgram, testWith } from '../needs.ts';

const withGit = testWith(needsProgram('git', 'git'), test);

async function repository(t: ExecutionContext): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'repository-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const git = async (...argv: readonly string[]): Promise<string> =>
    await output([
      'git',
      '-C',
      directory,
      '-c',
      'user.name=ann',
      '-c',
      'user.email=ann@example.org',
      ...argv,
    ]);
  await git('init', '--quiet', '--initial-branch=main');
  writeFileSync(join(directory, 'app.mjs'), 'first');
  await git('add', '.');
  await git('commit', '--quiet', '-m', 'first');
  await git('tag', 'v1.0');
  writeFileSync(join(directory, 'app.mjs'), 'second');
  await git('commit', '--quiet', '-am', 'second');
  writeFileSync(join(directory, 'app.mjs'), 'not committed');
  return directory;
}

async function commitOf(directory: string, ref: string): Promise<Commit> {
  const commit = await findCommit(directory, ref);
  if (commit === undefined) throw new Error(`no ${ref}`);
  return commit;
}

const build = { result: 'out', signal: new AbortController().signal, tell: () => {} };

withGit('what is built is what was committed, and the working copy is left alone', async (t) => {
  const directory = await repository(t);
  for (const [ref, content] of [
    ['v1.0', 'first'],
    ['main', 'second'],
    ['HEAD', 'second'],
  ] as const) {
    const commit = await commitOf(directory, ref);
    const [built, folder] = await withBuild(
      commit,
      { ...build, command: 'mkdir out && cp app.mjs out' },
      (path) => [readFileSync(join(path, 'app.mjs'), 'utf8'), path] as const,
    );
    t.is(built, content);
    t.false(existsSync(folder));
  }
  t.deepEqual(readdirSync(directory).sort(), ['.git', 'app.mjs']);
  t.is(readFileSync(join(directory, 'app.mjs'), 'utf8'), 'not committed');
});

withGit(
  'a commit is found by any of its names, also from a folder below, and has one short name',
  async (t) => {
    const directory = await repository(t);
    const commit = await commitOf(directory, 'v1.0');
    t.is(commit.short.length, 10);
    for (const name of ['refs/tags/v1.0', 'HEAD~1', commit.id, commit.short])
      t.deepEqual(await findCommit(directory, name), commit);
    for (const name of ['v1.1', '--help', '', 'v1.0:app.mjs'])
      t.is(await findCommit(directory, name), undefined);
  },
);

withGit(
  'a ref that is mistyped is answered with near ones, and a folder outside with what git says',
  async (t) => {
    const directory = await repository(t);
    t.regex((await refProblem(directory, 'v1.O')).message, /"v1\.O" is neither .*\n.*did you mean "v1\.0"\?/);
    t.regex((await refProblem(directory, 'nothing')).message, /there are main, v1\.0/);
    const outside = mkdtempSync(join(tmpdir(), 'outside-'));
    t.teardown(() => rmSync(outside, { recursive: true }));
    t.is(await findCommit(outside, 'main'), undefined);
    t.regex((await refProblem(outside, 'main')).message, /in no repository of git/);
  },
);

withGit('a build that fails shows what it said, and leaves nothing behind', async (t) => {
  const commit = await commitOf(await repository(t), 'main');
  const before = readdirSync(tmpdir()).filter((name) => name.startsWith('understudy-build-'));
  const heard: string[] = [];
  const tell = (chunk: Buffer): void => void heard.push(chunk.toString());
  const failing = { ...build, tell, command: 'pwd; echo no compiler >&2; exit 3' };
  const failed = await t.throwsAsync(withBuild(commit, failing, () => {}));
  t.regex(failed?.message ?? '', /ended with status 3: .*\n[^]*no compiler/);
  const folder = heard.join('').split('\n')[0] ?? '';
  t.true(folder.includes('understudy-build-') && !existsSync(folder));
  for (const result of ['elsewhere', '..', '/etc']) {
    await t.throwsAsync(
      withBuild(commit, { ...build, result, command: 'true' }, () => {}),
      {
        message: /left no folder/,
      },
    );
  }
  const after = readdirSync(tmpdir()).filter((name) => name.startsWith('understudy-build-'));
  t.deepEqual(
    after.filter((name) => !before.includes(name) && folder.includes(name)),
    [],
  );
});

withGit('an interrupted build ends with all that it has started', async (t) => {
  const commit = await commitOf(await repository(t), 'main');
  const interrupt = new AbortController();
  const tell = (): void => interrupt.abort();
  const command = 'echo begun; sleep 600 & wait';
  await t.throwsAsync(
    withBuild(commit, { ...build, tell, command, signal: interrupt.signal }, () => {}),
    {
      name: 'AbortError',
    },
  );
});
