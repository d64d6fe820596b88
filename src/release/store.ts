import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { makeDirectory, readIfThere, replaceFile } from '../lib/durable.ts';
import { UserError } from '../lib/errors.ts';
import { readReleaseFolder, type ReleaseFolder } from './folder.ts';
import { recordSchema, type ReleaseRecord } from './record.ts';

/** The releases that are kept beside an inventory, and the record of them. Only who has the inventory's lock changes it. */
export interface ReleaseStore {
  readonly directory: string;
  /** Undefined: nothing was deployed yet. */
  readonly record: () => ReleaseRecord | undefined;
  readonly write: (record: ReleaseRecord) => void;
  readonly pathOf: (release: string) => string;
  /** Copies the files of a release to where they are kept; what is there already stays when it is the same. */
  readonly keep: (release: string, folder: ReleaseFolder) => void;
  readonly forget: (releases: readonly string[]) => void;
}

/** Below `app/`, beside the inventory's hosts.yml. */
export function releaseStore(inventoryDirectory: string): ReleaseStore {
  const directory = join(inventoryDirectory, 'app');
  const releases = join(directory, 'releases');
  const file = join(directory, 'releases.json');
  const pathOf = (release: string): string => join(releases, release);
  return {
    directory,
    pathOf,
    record() {
      const text = readIfThere(file);
      return text === undefined ? undefined : parse(file, text);
    },
    write(record) {
      makeDirectory(directory);
      replaceFile(file, `${JSON.stringify(record, null, 2)}\n`);
    },
    keep(release, folder) {
      makeDirectory(releases);
      const target = pathOf(release);
      if (isSame(target, folder)) return;
      const partial = join(releases, `.${release}.partial`);
      rmSync(partial, { recursive: true, force: true });
      for (const { path, source, mode } of folder.files) {
        const copy = join(partial, path);
        mkdirSync(dirname(copy), { recursive: true });
        copyFileSync(source, copy);
        chmodSync(copy, mode);
      }
      // What an earlier, interrupted one has left is no release.
      rmSync(target, { recursive: true, force: true });
      renameSync(partial, target);
    },
    forget(names) {
      for (const name of names) rmSync(pathOf(name), { recursive: true, force: true });
      for (const name of existsSync(releases) ? readdirSync(releases) : [])
        if (name.endsWith('.partial')) rmSync(join(releases, name), { recursive: true, force: true });
    },
  };
}

function isSame(target: string, { digest, files }: ReleaseFolder): boolean {
  const [first] = files;
  if (first === undefined || !existsSync(target)) return false;
  try {
    return readReleaseFolder(target, first.path).digest === digest;
  } catch {
    return false;
  }
}

function parse(file: string, text: string): ReleaseRecord {
  try {
    return recordSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new UserError(
      {
        message: `${file}: expected the record of the app's releases: ${(error as Error).message.split('\n')[0] ?? ''}`,
        hint: 'a newer version of this program may have written it; it says what the servers shall serve, so bring it back from a backup rather than remove it',
      },
      { cause: error },
    );
  }
}
