import { EXIT, UserError } from '../lib/errors.ts';
import { readReleaseFolder } from './folder.ts';
import { releaseIn, type ReleaseRecord } from './record.ts';
import type { ReleaseStore } from './store.ts';

/** Rejects unless the files that are kept of a release are those that it was made of. `entry`: the one that is started. */
export function mustBeWhole(store: ReleaseStore, record: ReleaseRecord, name: string, entry: string): void {
  const release = releaseIn(record, name);
  const found = digestOrWhy(store.pathOf(name), entry);
  if (release !== undefined && found.digest === release.digest) return;
  throw new UserError(
    {
      message: `the files of release ${name} in ${store.pathOf(name)} are not those that were kept: ${found.why}`,
      hint: 'bring them back from a backup, or deploy the same files under that name again; `provision releases` shows what else is kept',
    },
    { exitCode: EXIT.failed },
  );
}

function digestOrWhy(
  path: string,
  entry: string,
): { readonly digest: string | undefined; readonly why: string } {
  try {
    return { digest: readReleaseFolder(path, entry).digest, why: 'some are missing, or others' };
  } catch (error) {
    return { digest: undefined, why: (error as Error).message };
  }
}
