import { mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { UserError } from '../lib/errors.ts';
import { system } from './system.ts';
import { type Debian, DEBIANS, DEFAULT_DEBIAN } from './release.ts';
import {
  DEFAULT_LAB,
  DEFAULT_SERVERS,
  labNetwork,
  labPaths,
  MAX_LABS,
  MAX_SERVERS,
  STATE_DIRECTORY,
} from './layout.ts';

const stateSchema = z.object({
  name: z.string(),
  /** Decides the lab's addresses. */
  index: z.number(),
  /** The hosts' release of Debian. Labs of before there was a choice have 13. */
  debian: z.enum(DEBIANS as readonly [Debian, ...Debian[]]).default(DEFAULT_DEBIAN),
  /** How many servers it has. Labs of before there was a choice have three. */
  servers: z.number().int().positive().max(MAX_SERVERS).default(DEFAULT_SERVERS),
  /** Whether the spare host watches the site. Labs of before there was a choice are not watched. */
  monitoring: z.boolean().default(false),
  /** The version of the base image that the hosts' disks lie over; absent until it is built. */
  base: z.string().optional(),
  /** The directory of the inventory that the lab writes. */
  inventory: z.string(),
});

/** What is known of a lab between two commands. What runs is asked of the kernel, not of a file. */
export type LabState = z.infer<typeof stateSchema>;

export async function readState(name: string): Promise<LabState | undefined> {
  const path = labPaths(name).state;
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return stateSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new UserError(
      {
        message: `${path} is damaged`,
        hint: `remove ${labPaths(name).directory}, then run provision lab up`,
      },
      { cause },
    );
  }
}

export async function writeState(state: LabState): Promise<void> {
  const { directory, state: path } = labPaths(state.name);
  await mkdir(directory, { recursive: true, mode: 0o755 });
  await writeFile(`${path}.new`, `${JSON.stringify(state, null, 2)}\n`);
  await rename(`${path}.new`, path);
}

export async function allStates(): Promise<readonly LabState[]> {
  const names = await readdir(STATE_DIRECTORY).catch(() => []);
  const states: LabState[] = [];
  for (const name of names) {
    const state = await readState(name).catch(() => undefined);
    if (state) states.push(state);
  }
  return states;
}

/** A free pair of networks: the first for the default lab, whenever it is free. Call it under a lock. */
export async function chooseIndex(name: string): Promise<number> {
  const taken = (await allStates()).filter((state) => state.name !== name).map((state) => state.index);
  const routes = await system(['ip', '-4', 'route', 'show', 'table', 'all']);
  return freeIndex(name, taken, routes.stdout);
}

/** The first index that neither another lab nor another route of this machine uses. */
export function freeIndex(name: string, taken: readonly number[], routes: string): number {
  for (let index = name === DEFAULT_LAB ? 0 : 1; index < MAX_LABS; index++) {
    const { frontNetwork, backNetwork } = labNetwork(index);
    const prefixes = [frontNetwork, backNetwork].map((network) => network.replace(/0\/24$/, ''));
    const used = prefixes.some((prefix) =>
      routes.split('\n').some((route) => route.split(' ').some((word) => word.startsWith(prefix))),
    );
    if (!taken.includes(index) && !used) return index;
  }
  throw new UserError({
    message: 'no network of 10.83.0.0/16 is free for the lab',
    hint: 'provision lab down --name NAME ends a lab; ip route shows what else uses them',
  });
}
