import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { command } from '../lib/shell.ts';
import { type HostContext, initProcess } from './host.ts';
import { hostPaths } from './layout.ts';
import { system, systemOutput } from './system.ts';

/*
 * A disk of its own for one directory of a host. The hosts' disks are directories of this machine, which cannot be full
 * or stand still for one host alone; a file system in a file can.
 */

/** Where the host sees the disk. Its /run allows no devices. */
const DEVICE = '/dev/understudy-disk';

/** Moves a directory that no process uses to a disk of this size. It does not survive the host's next boot. */
export async function giveSmallDisk(
  lab: HostContext,
  host: string,
  directory: string,
  megabytes: number,
): Promise<void> {
  const image = imageOf(lab, host);
  await detach(image);
  await systemOutput(['truncate', '--size', `${megabytes}M`, image]);
  await systemOutput(['mkfs.ext4', '-q', '-F', '-m', '0', image]);
  const device = (await systemOutput(['losetup', '--find', '--show', image])).trim();
  const minor = /^\/dev\/loop(\d+)$/.exec(device)?.[1];
  if (minor === undefined) throw new Error(`losetup gave ${device}`);
  await enter(lab, host, [
    command(['rm', '-f', DEVICE]),
    command(['mknod', DEVICE, 'b', '7', minor]),
    `next=$(mktemp -d)`,
    `mount -t ext4 ${DEVICE} "$next"`,
    `${command(['cp', '-a', `${directory}/.`])} "$next"`,
    `umount "$next"`,
    command(['mount', '-t', 'ext4', DEVICE, directory]),
  ]);
}

/** Moves the directory back to the host's own disk, with all that it holds now. No process may use it. */
export async function takeSmallDisk(lab: HostContext, host: string, directory: string): Promise<void> {
  const own = await enter(lab, host, [`! ${command(['mountpoint', '--quiet', directory])} || echo mounted`]);
  if (own.trim() === 'mounted') {
    await enter(lab, host, [
      `fsfreeze --unfreeze ${command([directory])} 2> /dev/null || :`,
      'next=$(mktemp -d)',
      `${command(['cp', '-a', `${directory}/.`])} "$next"`,
      command(['umount', directory]),
      command(['find', directory, '-mindepth', '1', '-delete']),
      `${command(['cp', '-a', '-T'])} "$next" ${command([directory])}`,
      'rm -rf "$next"',
    ]);
  }
  await detach(imageOf(lab, host));
}

function imageOf(lab: HostContext, host: string): string {
  return join(hostPaths(lab.lab, host).directory, 'disk.img');
}

/** Also after a host died with its disk mounted. */
async function detach(image: string): Promise<void> {
  const exists = await stat(image).then(
    () => true,
    () => false,
  );
  if (!exists) return;
  const loops = await system(['losetup', '--noheadings', '--output', 'NAME', '--associated', image]);
  for (const device of loops.stdout.split('\n')) {
    if (device.trim() !== '') await system(['losetup', '--detach', device.trim()]);
  }
  await rm(image, { force: true });
}

/** In the host's mounts, with this machine's rights: the host's own root may make no devices. */
async function enter(lab: HostContext, host: string, lines: readonly string[]): Promise<string> {
  const init = await initProcess(lab, host);
  if (init === undefined) throw new Error(`${host} is not running`);
  const script = ['set -eu', ...lines].join('\n');
  return await systemOutput(['nsenter', '--target', String(init), '--mount', '--', 'sh', '-c', script], {
    timeoutMs: 120_000,
  });
}
