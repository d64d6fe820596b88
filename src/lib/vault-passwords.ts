import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';

import { UserError } from './errors.ts';
import { isExecutable } from './is-executable.ts';
import { Secret } from './secret.ts';
import { userEnvironment } from './system-path.ts';
import type { VaultPassword } from './vault.ts';

/** What `--vault-id` says: `ID@SOURCE`, or the source alone. */
export function vaultIdPassword(text: string): VaultPassword {
  const at = text.indexOf('@');
  return at <= 0 ? vaultPassword(text.slice(at + 1)) : vaultPassword(text.slice(at + 1), text.slice(0, at));
}

/**
 * The password of a source: a file with it, a program that prints it (one whose name ends in `-client` is told the id), or
 * `prompt`.
 */
export function vaultPassword(source: string, id = 'default'): VaultPassword {
  const password = source === 'prompt' ? askFor(id) : readSource(source, id);
  if (password === '') throw new UserError(`the vault password of "${id}" is empty (${source})`);
  return { id, password: new Secret(password) };
}

function readSource(source: string, id: string): string {
  const file = resolve(source);
  if (!existsSync(file)) throw new UserError(`there is no file ${source} with a vault password`);
  if (!isExecutable(file)) return readFileSync(file, 'utf8').trim();
  const isClient = /-client(?:\.\w+)?$/.test(basename(file));
  const { status, stdout, error } = spawnSync(file, isClient ? ['--vault-id', id] : [], {
    encoding: 'utf8',
    stdio: ['inherit', 'pipe', 'inherit'],
    env: userEnvironment(),
  });
  if (status === 0) return stdout.trim();
  const reason = error?.message ?? `ended with status ${status}`;
  throw new UserError(`the program ${source} gave no vault password: it ${reason}`);
}

/** Asks on the terminal, without showing what is typed. */
function askFor(id: string): string {
  if (!process.stdin.isTTY) throw new UserError('a vault password can be asked for on a terminal only');
  process.stderr.write(`Vault password (${id}): `);
  const script = 'stty -echo; trap "stty echo" EXIT; IFS= read -r answer; printf %s "$answer"';
  const { stdout } = spawnSync('/bin/sh', ['-c', script], {
    encoding: 'utf8',
    stdio: ['inherit', 'pipe', 'inherit'],
  });
  process.stderr.write('\n');
  return stdout;
}
