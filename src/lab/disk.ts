import { chmod, chown, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { systemOutput } from './system.ts';
import { hostPaths, type LabNetwork, labPaths, LOGIN_USER } from './layout.ts';
import { KEY_FILE } from './inventory-files.ts';

const HOST_KEY_TYPES = ['ed25519', 'ecdsa'] as const;

/** The user that the base image makes first, and its group. */
const LOGIN_ID = 1000;

/** Makes the lab's keys once: its operator's and its hosts'. They outlive a reset, so known_hosts stays true. */
export async function ensureKeys(lab: string, hosts: readonly string[]): Promise<void> {
  const { keys } = labPaths(lab);
  await mkdir(keys, { recursive: true, mode: 0o700 });
  await ensureKey(join(keys, KEY_FILE), 'ed25519', `understudy-${lab}`);
  await Promise.all(
    hosts.flatMap((host) =>
      HOST_KEY_TYPES.map((type) => ensureKey(hostKeyPath(lab, host, type), type, `root@${host}`)),
    ),
  );
}

/** The public keys by which a host is known. */
export async function hostPublicKeys(lab: string, host: string): Promise<readonly string[]> {
  return Promise.all(
    HOST_KEY_TYPES.map(async (type) =>
      (await readFile(`${hostKeyPath(lab, host, type)}.pub`, 'utf8')).trim(),
    ),
  );
}

/** Gives a host an empty disk, with nothing of its own on it but its name, its keys and the way to the package cache. */
export async function makeDisk(lab: string, host: string, network: LabNetwork): Promise<void> {
  const paths = hostPaths(lab, host);
  await removeDisk(lab, host);
  const staging = `${paths.upper}.new`;
  await rm(staging, { recursive: true, force: true });
  await mkdir(staging, { recursive: true });
  const put = async (path: string, content: string, mode = 0o644): Promise<void> => {
    const target = join(staging, path);
    await mkdir(join(target, '..'), { recursive: true });
    await writeFile(target, content);
    await chmod(target, mode);
  };
  await put('etc/hostname', `${host}\n`);
  await put(
    'etc/hosts',
    `127.0.0.1 localhost\n127.0.1.1 ${host}\n::1 localhost ip6-localhost ip6-loopback\n`,
  );
  await put('etc/machine-id', `${createHash('md5').update(`${lab}/${host}`).digest('hex')}\n`, 0o444);
  await put('etc/apt/apt.conf.d/30package-cache', `Acquire::http::Proxy "${network.packageCache}";\n`);
  for (const type of HOST_KEY_TYPES) {
    const key = hostKeyPath(lab, host, type);
    await put(`etc/ssh/ssh_host_${type}_key`, await readFile(key, 'utf8'), 0o600);
    await put(`etc/ssh/ssh_host_${type}_key.pub`, await readFile(`${key}.pub`, 'utf8'));
  }
  const home = `home/${LOGIN_USER}`;
  const publicKey = await readFile(join(labPaths(lab).keys, `${KEY_FILE}.pub`), 'utf8');
  await put(`${home}/.ssh/authorized_keys`, publicKey, 0o600);
  for (const path of [home, `${home}/.ssh`, `${home}/.ssh/authorized_keys`]) {
    await chown(join(staging, path), LOGIN_ID, LOGIN_ID);
  }
  // A directory in the upper layer gives its mode to the merged one.
  await chmod(join(staging, home), 0o700);
  await chmod(join(staging, home, '.ssh'), 0o700);
  await rename(staging, paths.upper);
}

export async function hasDisk(lab: string, host: string): Promise<boolean> {
  return stat(hostPaths(lab, host).upper).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** Throws a host's disk away. The host must not be running. */
export async function removeDisk(lab: string, host: string): Promise<void> {
  const paths = hostPaths(lab, host);
  await rm(paths.upper, { recursive: true, force: true });
  await rm(paths.work, { recursive: true, force: true });
}

function hostKeyPath(lab: string, host: string, type: string): string {
  return join(labPaths(lab).keys, `${host}_${type}`);
}

async function ensureKey(path: string, type: string, comment: string): Promise<void> {
  const complete = await stat(`${path}.pub`).then(
    (found) => found.size > 0,
    () => false,
  );
  if (complete) return;
  await rm(path, { force: true });
  await systemOutput(['ssh-keygen', '-q', '-t', type, '-N', '', '-C', comment, '-f', path]);
}
