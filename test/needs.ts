import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Implementation, TestFn } from 'ava';

/*
 * What a test needs of the machine. A test whose need is not met does not run, and counts as skipped: never as passed.
 * Where everything should be there (CI=true), it fails and says what is missing.
 */

/** What is missing, in words with a remedy; undefined when nothing is. */
export type Missing = string | undefined;

const SYSTEM_DIRECTORIES = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

export function needsRoot(): Missing {
  return process.getuid?.() === 0 ? undefined : 'it must run as root';
}

/** Where npm's programs do not count: they may have a system program's name. */
export function needsProgram(program: string, debianPackage: string): Missing {
  return SYSTEM_DIRECTORIES.some((directory) => existsSync(join(directory, program)))
    ? undefined
    : `${program} is not installed: apt-get install ${debianPackage}`;
}

export function needsPython(modules: readonly string[], debianPackages: string): Missing {
  try {
    execFileSync('/usr/bin/python3', ['-c', `import ${modules.join(', ')}`], { stdio: 'ignore' });
    return undefined;
  } catch {
    return `Python has no ${modules.join(' or ')}: apt-get install ${debianPackages}`;
  }
}

/** The first that is missing. */
export function firstMissing(...needs: readonly Missing[]): Missing {
  return needs.find((need) => need !== undefined);
}

type Declare<Context> = (title: string, implementation: Implementation<[], Context>) => void;

/** Declares a test that runs where nothing is missing. `declare` is AVA's `test` or `test.serial`. */
export function testWith<Context>(
  missing: Missing,
  declare: TestFn<Context> | TestFn<Context>['serial'],
): Declare<Context> {
  if (missing === undefined) return (title, implementation) => declare(title, implementation);
  if (process.env['CI'] === 'true') return (title) => declare(title, (t) => t.fail(missing));
  return (title, implementation) => declare.skip(`${title} [${missing}]`, implementation);
}
