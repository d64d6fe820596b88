import { spawnSync } from 'node:child_process';
import { basename } from 'node:path';
import test, { type Implementation } from 'ava';

import type { FactKind } from '../../src/facts/fact.ts';
import { needsProgram, testWith } from '../needs.ts';

type Shell = readonly [string, ...string[]];

/** The shells that targets have. */
export const SHELLS: readonly Shell[] = [['/bin/sh'], ['/bin/bash', '--posix'], ['/bin/busybox', 'sh']];

/** Declares a test that needs one of them. */
export function testIn([program]: Shell): (title: string, implementation: Implementation<[]>) => void {
  return testWith(needsProgram(basename(program), basename(program)), test);
}

/** Runs a script as a remote shell does: fed on stdin, with nothing to read itself. */
export function runScript(shell: Shell, script: string): Buffer {
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
  shell: Shell,
  kind: FactKind<Key, Fact>,
  keys: readonly Key[],
): readonly Fact[] {
  return kind.parse(runScript(shell, kind.script(keys)), keys);
}
