import {
  chmod,
  chown,
  lstat,
  mkdir,
  readFile,
  readdir,
  rename,
  rm,
  rmdir,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { hostPublicKeys } from './disk.ts';
import {
  GENERATED,
  GITIGNORE,
  hostsYaml,
  type InventoryInput,
  KEY_FILE,
  knownHosts,
  sshConfig,
} from './inventory-files.ts';
import { DEFAULT_LAB, labHosts, type LabNetwork, labPaths } from './layout.ts';
import type { LabState } from './state.ts';

/** Where a lab's inventory belongs: in the nearest `inventory` directory from `from` upwards, else in a new one there. */
export async function inventoryDirectory(lab: string, from: string): Promise<string> {
  for (let directory = resolve(from); ; directory = dirname(directory)) {
    if (await isDirectory(join(directory, 'inventory'))) return join(directory, 'inventory', lab);
    if (dirname(directory) === directory) return join(resolve(from), 'inventory', lab);
  }
}

/** Writes the inventory, owned by whoever called sudo. What the lab does not generate is left alone. */
export async function writeInventory(state: LabState, network: LabNetwork): Promise<void> {
  const { name: lab, inventory: directory, debian, servers, monitoring } = state;
  const hosts = labHosts(servers);
  const hostKeys = new Map<string, readonly string[]>();
  for (const host of hosts) hostKeys.set(host.name, await hostPublicKeys(lab, host.name));
  const input: InventoryInput = { lab, directory, debian, hosts, monitoring, network, hostKeys };
  const made = await mkdir(directory, { recursive: true });
  const owner = invokingUser();
  if (made !== undefined && owner) {
    for (let path = directory; path.length >= made.length; path = dirname(path)) await chown(path, ...owner);
  }
  const keys = labPaths(lab).keys;
  const contents: Readonly<Record<(typeof GENERATED)[number], string>> = {
    '.gitignore': GITIGNORE,
    'hosts.yml': hostsYaml(input),
    ssh_config: sshConfig(input),
    known_hosts: knownHosts(input),
    [KEY_FILE]: await readFile(join(keys, KEY_FILE), 'utf8'),
    [`${KEY_FILE}.pub`]: await readFile(join(keys, `${KEY_FILE}.pub`), 'utf8'),
  };
  for (const [name, content] of Object.entries(contents)) {
    const temporary = join(directory, `.new.${name}.${process.pid}`);
    await writeFile(temporary, content, { mode: 0o600 });
    await chmod(temporary, name === KEY_FILE ? 0o600 : 0o644);
    if (owner) await chown(temporary, ...owner);
    await rename(temporary, join(directory, name));
  }
  if (lab !== DEFAULT_LAB) await linkGroupVariables(directory);
}

/** Removes what `writeInventory` wrote, and the directory if nothing else is in it. */
export async function removeInventory(directory: string): Promise<void> {
  for (const name of GENERATED) await rm(join(directory, name), { force: true });
  const variables = join(directory, 'group_vars');
  if (await isLink(variables)) await rm(variables);
  const left = await readdir(directory).catch(() => undefined);
  if (left?.length === 0) await rmdir(directory);
}

/** A second lab uses the group variables of the default one, unless it has some of its own. */
async function linkGroupVariables(directory: string): Promise<void> {
  try {
    await symlink(join('..', DEFAULT_LAB, 'group_vars'), join(directory, 'group_vars'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function invokingUser(): readonly [number, number] | undefined {
  const { SUDO_UID: user, SUDO_GID: group } = process.env;
  return user && group ? [Number(user), Number(group)] : undefined;
}

async function isDirectory(path: string): Promise<boolean> {
  return lstat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function isLink(path: string): Promise<boolean> {
  return lstat(path).then(
    (found) => found.isSymbolicLink(),
    () => false,
  );
}
