import { constants } from 'node:fs';
import { access } from 'node:fs/promises';

import { explainApt, foldApt } from '../lib/apt-output.ts';
import { UserError } from '../lib/errors.ts';
import { findSystemProgram } from '../lib/system-path.ts';
import { withoutServices } from './quiet-services.ts';
import { system } from './system.ts';

/** A program of the system (or, with a path, a file) that is needed, and the Debian package that has it. */
export interface Tool {
  readonly file: string;
  readonly package: string;
  readonly why: string;
}

/**
 * What the lab needs of the machine that it runs on. Packages that Debian installs always (coreutils, findutils, bash)
 * are not in the list; those that only most systems have are.
 */
export const LAB_TOOLS: readonly Tool[] = [
  { file: 'systemd-nspawn', package: 'systemd-container', why: 'boots the hosts' },
  { file: 'mmdebstrap', package: 'mmdebstrap', why: 'makes their base image' },
  {
    file: '/usr/share/keyrings/debian-archive-keyring.gpg',
    package: 'debian-archive-keyring',
    why: 'the keys that the base image is checked with',
  },
  { file: 'ip', package: 'iproute2', why: 'makes the networks' },
  { file: 'nft', package: 'nftables', why: 'lets the hosts reach packages, and cuts networks' },
  { file: 'sysctl', package: 'procps', why: 'sets up the networks' },
  { file: 'nsenter', package: 'util-linux', why: 'enters hosts and networks' },
  { file: 'setpriv', package: 'util-linux', why: "limits a shell in a host to the host's rights" },
  { file: 'losetup', package: 'mount', why: 'gives a host a small disk' },
  { file: 'mkfs.ext4', package: 'e2fsprogs', why: 'gives a host a small disk' },
  { file: 'ssh-keygen', package: 'openssh-client', why: 'makes the keys of the hosts and of their operator' },
];

/** Those of the tools that this machine has not. */
export async function missingTools(tools: readonly Tool[] = LAB_TOOLS): Promise<readonly Tool[]> {
  const present = await Promise.all(tools.map(({ file }) => isInstalled(file)));
  return tools.filter((_, index) => present[index] !== true);
}

/** Whether a program of the system, or a file by its path, is there. */
export async function isInstalled(file: string): Promise<boolean> {
  if (!file.startsWith('/')) return (await findSystemProgram(file)) !== undefined;
  return access(file, constants.F_OK).then(
    () => true,
    () => false,
  );
}

/** The Debian packages of tools, each once. */
export function packagesOf(tools: readonly Tool[]): readonly string[] {
  return [...new Set(tools.map((tool) => tool.package))];
}

/**
 * Installs Debian packages on this machine, without what they only recommend and without starting their services; a
 * `UserError` when that fails.
 */
export async function installPackages(packages: readonly string[]): Promise<void> {
  await withoutServices(packages, async () => await install(packages));
}

async function install(packages: readonly string[]): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const argv = ['apt-get', 'install', '-y', '--no-install-recommends', ...packages];
  const first = await system(argv, { env });
  if (first.status === 0) return;
  // A new machine has no lists of packages, and old lists name versions that the mirror no longer has.
  const update = await system(['apt-get', 'update'], { env });
  const second = await system(argv, { env });
  if (second.status === 0) return;
  // What is missing from the lists is missing because they could not be fetched.
  const explained = explainApt(update.stderr) ?? explainApt(second.stderr);
  const all = second.stderr.trim() === '' ? second.stdout : second.stderr;
  throw new UserError({
    message: `could not install ${packages.join(', ')}: ${explained?.message ?? `\n${lastLines(foldApt(all))}`}`,
    hint: [explained?.hint, `then again, or by yourself: sudo apt-get update && sudo ${argv.join(' ')}`]
      .filter((part) => part !== undefined)
      .join('; '),
  });
}

/** What a program said last, which is where it says what is wrong. */
export function lastLines(text: string, count = 12): string {
  return text.trim().split('\n').slice(-count).join('\n');
}
