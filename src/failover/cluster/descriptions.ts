import { readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';

import { UserError } from '../../lib/errors.ts';
import type { Cluster } from './cluster.ts';
import { readClusterFile } from './cluster-schema.ts';

/** A daemon's description of a cluster, read or not. */
export interface Description {
  /** Of the cluster; of one that cannot be read, that of its file. */
  readonly name: string;
  /** None of one that cannot be read. */
  readonly instances: Cluster['instances'];
  /** Throws what is wrong with it: that is nobody's trouble but this cluster's. */
  readonly read: () => Cluster;
}

/** The descriptions at a path: of a file one, of a directory those of its files `*.json`, in their order. */
export function descriptionsAt(path: string): readonly Description[] {
  if (!isDirectory(path)) return [descriptionOf(path)];
  const files = readdirSync(path).filter((name) => name.endsWith('.json'));
  if (files.length === 0) {
    throw new UserError({
      message: `${path} describes no cluster: it has no file *.json`,
      hint: 'the role failover_watch writes them',
    });
  }
  const before = new Map<string, string>();
  return files.sort().map((name) => {
    const file = join(path, name);
    const found = descriptionOf(file);
    const other = before.get(found.name);
    before.set(found.name, file);
    if (other === undefined) return found;
    return unread(file, () => {
      throw new UserError({
        message: `${file} describes the cluster "${found.name}", and so does ${other}`,
        hint: 'remove the file that is old',
      });
    });
  });
}

function descriptionOf(file: string): Description {
  try {
    const cluster = readClusterFile(file);
    return { name: cluster.name, instances: cluster.instances, read: () => cluster };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    // Read again whenever it is needed: somebody may have put it right.
    return unread(file, () => readClusterFile(file));
  }
}

function unread(file: string, read: Description['read']): Description {
  return { name: basename(file).replace(/\.json$/, ''), instances: [], read };
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
