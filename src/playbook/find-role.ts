import { readdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';

import { didYouMean } from '../lib/similar.ts';
import type { RoleContext } from './ast.ts';
import type { LoadContext } from './load-context.ts';
import type { PlayParts } from './place.ts';

export interface FoundRole {
  /** With its collection's name before it, if it is in one. */
  readonly name: string;
  readonly directory: string;
  readonly collection?: string;
}

/** Says what is wrong at the place where the role is used. */
export type Report = (message: string, hint?: string) => void;

/** Where collections are, below each in `ansible_collections/NAMESPACE/NAME`. */
const COLLECTIONS = [join(homedir(), '.ansible', 'collections'), '/usr/share/ansible/collections'];

/** Finds a role by name or path, in the order in which Ansible looks. */
export function findRole(
  context: LoadContext,
  name: string,
  play: Pick<PlayParts, 'directory' | 'collections'>,
  parent: RoleContext | undefined,
  report: Report,
): FoundRole | undefined {
  const inCollection = findInCollections(name, play, parent);
  if (inCollection) return inCollection;
  const directories = [
    join(play.directory, 'roles'),
    ...(context.options.rolesPath ?? []),
    join(homedir(), '.ansible', 'roles'),
    '/usr/share/ansible/roles',
    '/etc/ansible/roles',
    ...(parent ? [dirname(parent.directory)] : []),
    play.directory,
  ];
  for (const directory of new Set(directories)) {
    const path = resolve(directory, name);
    if (isDirectory(path)) return { name: name.includes('/') ? basename(path) : name, directory: path };
  }
  const known = directories
    .slice(0, -1)
    .flatMap((directory) => (isDirectory(directory) ? readdirSync(directory) : []));
  const near = didYouMean(name, known);
  const looked = `looked in ${[...new Set(directories)].join(', ')}${
    /^\w+\.\w+\.\w+$/.test(name) ? `; collections stand in ${join(play.directory, 'collections')}` : ''
  }`;
  report(`there is no role "${name}"`, near === undefined ? looked : `${near} (${looked})`);
  return undefined;
}

/** `NAMESPACE.COLLECTION.ROLE`, or a short name in the collections that play and role say they use. */
function findInCollections(
  name: string,
  { directory, collections }: Pick<PlayParts, 'directory' | 'collections'>,
  parent: RoleContext | undefined,
): FoundRole | undefined {
  const [, collection, short] = /^(\w+\.\w+)\.(\w+)$/.exec(name) ?? [];
  const own = parent?.collection;
  const wanted =
    collection === undefined ? [...(own === undefined ? [] : [own]), ...collections] : [collection];
  const role = short ?? name;
  if (!/^\w+$/.test(role)) return undefined;
  const around = [parent?.directory, directory].flatMap((path) => treeAround(path ?? ''));
  const roots = [...around, join(directory, 'collections'), ...COLLECTIONS];
  for (const one of wanted) {
    for (const root of roots) {
      const path = join(root, 'ansible_collections', ...one.split('.'), 'roles', role);
      if (isDirectory(path)) return { name: `${one}.${role}`, directory: path, collection: one };
    }
  }
  return undefined;
}

/** The folder of collections that a path is in. */
function treeAround(path: string): readonly string[] {
  const at = path.lastIndexOf('/ansible_collections/');
  return at < 0 ? [] : [path.slice(0, at)];
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
