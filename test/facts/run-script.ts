import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

import type { FactKind } from '../../src/facts/fact.ts';

/** The shells that targets have. Those that this machine lacks are left out, but never dash or whatever sh is. */
export const SHELLS: readonly (readonly [string, ...string[]])[] = [
  ['/bin/sh'] as const,
  ['/bin/bash', '--posix'] as const,
  ['/bin/busybox', 'sh'] as const,
].filter(([program]) => program === '/bin/sh' || existsSync(program));

/** Runs a script as a remote shell does: fed on stdin, with nothing to read itself. */
export function runScript(shell: readonly [string, ...string[]], script: string): Buffer {
  const [program, ...options] = shell;
  const result = spawnSync(program, options, {
    input: `{\n${script}\n} </dev/null\n`,
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  });
  if (result.status !== 0)
    throw new Error(`${program}: status ${result.status}\n${result.stderr.toString()}`);
  return result.stdout;
}

export function readFacts<Key, Fact>(
  shell: readonly [string, ...string[]],
  kind: FactKind<Key, Fact>,
  keys: readonly Key[],
): readonly Fact[] {
  return kind.parse(runScript(shell, kind.script(keys)), keys);
}
