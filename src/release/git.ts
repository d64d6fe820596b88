import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { UserError } from '../lib/errors.ts';
import { type ProcessResult, run } from '../lib/process.ts';
import { didYouMean } from '../lib/similar.ts';

/** A commit of the repository in the working directory. */
export interface Commit {
  /** The repository's top folder. */
  readonly repository: string;
  readonly id: string;
  /** The name that a release of it gets. */
  readonly short: string;
}

const SHORT = 10;

/** What a ref names; undefined: there is no such ref, or no repository. */
export async function findCommit(directory: string, ref: string): Promise<Commit | undefined> {
  const top = await git(directory, ['rev-parse', '--show-toplevel']);
  if (top.status !== 0) return undefined;
  const repository = top.stdout.trimEnd();
  const found = await git(repository, [
    'rev-parse',
    '--verify',
    '--quiet',
    '--end-of-options',
    `${ref}^{commit}`,
  ]);
  const id = found.stdout.trim().split('\n').at(-1) ?? '';
  return found.status === 0 && /^[0-9a-f]{40,64}$/.test(id)
    ? { repository, id, short: id.slice(0, SHORT) }
    : undefined;
}

/** Why a ref names no commit here, with near misses. */
export async function refProblem(directory: string, ref: string): Promise<UserError> {
  const top = await git(directory, ['rev-parse', '--show-toplevel']);
  if (top.error !== undefined)
    return new UserError({
      message: `git cannot be started: ${top.error.message}`,
      hint: 'apt-get install git',
    });
  if (top.status !== 0) {
    return new UserError({
      message: `"${ref}" is no folder, and ${directory} is in no repository of git that has a ref of that name`,
      hint: top.stderr.trim().split('\n')[0],
    });
  }
  const refs = await git(directory, [
    'for-each-ref',
    '--format=%(refname:short)',
    'refs/heads',
    'refs/tags',
    'refs/remotes',
  ]);
  const names = refs.stdout.split('\n').filter((name) => name !== '');
  return new UserError({
    message: `"${ref}" is neither a folder, nor a kept release, nor a branch, a tag or a commit of ${top.stdout.trimEnd()}`,
    hint: didYouMean(ref, names) ?? `there are ${names.slice(0, 10).join(', ') || 'no branches and no tags'}`,
  });
}

/** Writes the files of a commit to an empty folder. The user's working copy is not touched. */
export async function exportCommit(
  { repository, id }: Commit,
  directory: string,
  signal: AbortSignal,
): Promise<void> {
  const tree = await must(git(repository, ['ls-tree', '-r', id], signal), `git ls-tree ${id}`);
  const submodules = tree
    .split('\n')
    .flatMap((line) => (line.startsWith('160000 ') ? [line.split('\t')[1]] : []));
  if (submodules.length > 0) {
    throw new UserError({
      message: `the submodules ${submodules.join(', ')} are not in an export of this repository`,
      hint: 'build it yourself, and deploy the folder that the build leaves',
    });
  }
  const archive = join(directory, '.export.tar');
  const files = join(directory, 'source');
  mkdirSync(files, { recursive: true });
  await must(git(repository, ['archive', '--format=tar', `--output=${archive}`, id], signal), 'git archive');
  await must(run(['tar', '-xf', archive, '-C', files], { signal }), 'tar');
}

function git(directory: string, argv: readonly string[], signal?: AbortSignal): Promise<ProcessResult> {
  return run(['git', '-C', directory, ...argv], { signal });
}

async function must(work: Promise<ProcessResult>, what: string): Promise<string> {
  const { status, stdout, stderr } = await work;
  if (status === 0) return stdout;
  throw new UserError(`${what} ended with status ${status}: ${stderr.trim().slice(-1000)}`);
}
