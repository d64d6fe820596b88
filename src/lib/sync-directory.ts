import { closeSync, fsyncSync, openSync } from 'node:fs';

/** What was done to the names in a directory outlives a power loss. */
export function syncDirectory(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
