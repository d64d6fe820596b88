import { chmod, rm, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';

import { quote } from '../lib/shell.ts';
import { system } from './system.ts';

/** What Debian's packages ask before they start or stop a service: https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt */
const POLICY = '/usr/sbin/policy-rc.d';
const FORBIDDEN = 101;

/**
 * Installs packages whose programs are wanted, and not their services: none is started now, and none at the next boot.
 * Where the machine has a rule of its own for that, it holds.
 */
export async function withoutServices(
  packages: readonly string[],
  install: () => Promise<void>,
  { policy = POLICY }: { readonly policy?: string } = {},
): Promise<void> {
  const fresh = await notInstalled(packages);
  const isOurs = await writePolicy(policy);
  try {
    await install();
  } finally {
    if (isOurs) await rm(policy, { force: true });
    const units = await unitsOf(fresh);
    // Without a running systemd, too: it is about links in /etc/systemd/system.
    if (units.length > 0) await system(['systemctl', 'disable', '--no-reload', '--quiet', ...units]);
  }
}

/** It forbids for as long as this process lives: one that was killed leaves nothing that could surprise anybody. */
async function writePolicy(policy: string): Promise<boolean> {
  const text = [
    '#!/bin/sh',
    '# Of Understudy, while it installs packages whose services nobody has asked for.',
    `kill -0 ${process.pid} 2>/dev/null || { rm -f ${quote(policy)}; exit 0; }`,
    `exit ${FORBIDDEN}`,
    '',
  ].join('\n');
  try {
    await writeFile(policy, text, { flag: 'wx' });
    await chmod(policy, 0o755);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function notInstalled(packages: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await system([
    'dpkg-query',
    '-W',
    '-f',
    '${db:Status-Status} ${Package}\\n',
    ...packages,
  ]);
  const installed = new Set(stdout.split('\n').filter((line) => line.startsWith('installed ')));
  return packages.filter((name) => !installed.has(`installed ${name}`));
}

/** The units that these packages have brought and that a boot may start. */
async function unitsOf(packages: readonly string[]): Promise<readonly string[]> {
  if (packages.length === 0) return [];
  const { stdout } = await system(['dpkg-query', '-L', ...packages]);
  const files = stdout
    .split('\n')
    .filter((file) => /^(?:\/usr)?\/lib\/systemd\/system\/[^/]*[^@]\.(?:service|socket|timer)$/.test(file));
  return [...new Set(files.map((file) => basename(file)))];
}
