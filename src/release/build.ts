import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

import { EXIT, UserError } from '../lib/errors.ts';
import { run } from '../lib/process.ts';
import { userEnvironment } from '../lib/system-path.ts';
import { type Commit, exportCommit } from './git.ts';

export interface BuildOptions {
  /** For a shell, in the exported files. */
  readonly command: string;
  /** The folder that it leaves, below the exported files. */
  readonly result: string;
  readonly signal: AbortSignal;
  /** Hears what the command prints. */
  readonly tell: (chunk: Buffer) => void;
}

const LAST_WORDS = 4000;

/** Exports a commit, builds it in a temporary folder and hands over the folder with the result, which is gone afterwards. */
export async function withBuild<T>(
  commit: Commit,
  { command, result, signal, tell }: BuildOptions,
  use: (folder: string) => Promise<T> | T,
): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-build-'));
  try {
    await exportCommit(commit, directory, signal);
    const source = join(directory, 'source');
    let said = '';
    const hear = (chunk: Buffer): void => {
      said = (said + chunk.toString('utf8')).slice(-LAST_WORDS);
      tell(chunk);
    };
    const built = await run(['sh', '-c', command], {
      cwd: source,
      env: userEnvironment(),
      signal,
      wholeGroup: true,
      onStdout: hear,
      onStderr: hear,
    });
    signal.throwIfAborted();
    if (built.status !== 0) {
      throw new UserError(
        {
          message: `the build of ${commit.short} ended with status ${built.status}: ${command}\n${said.trimEnd()}`,
          hint: 'app_build_command in the inventory says how a release is built',
        },
        { exitCode: EXIT.failed },
      );
    }
    const folder = join(source, result);
    if (relative(source, folder).startsWith('..') || !existsSync(folder)) {
      throw new UserError(
        {
          message: `the build of ${commit.short} left no folder ${result}: ${command}`,
          hint: 'app_build_result in the inventory says where it leaves the release',
        },
        { exitCode: EXIT.failed },
      );
    }
    return await use(folder);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
