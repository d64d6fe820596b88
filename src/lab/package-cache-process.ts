import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { system } from './system.ts';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { poll } from '../lib/async.ts';
import { UserError } from '../lib/errors.ts';
import { killGroup, makeGroup } from './cgroup.ts';
import { CACHE_DIRECTORY, type LabNetwork, PACKAGE_CACHE_PORT } from './layout.ts';
import type { PackageCacheStatistics } from './package-cache.ts';

/** nobody, everywhere. */
const UNPRIVILEGED = 65_534;

/** Starts the lab's package cache unless it answers already. */
export async function ensurePackageCache(network: LabNetwork, group: string, logFile: string): Promise<void> {
  if (await packageCacheStatistics(network)) return;
  await killGroup(group);
  await makeGroup(group);
  const directory = join(CACHE_DIRECTORY, 'packages');
  await mkdir(directory, { recursive: true });
  // All of it: what root has left there could not be written beside.
  await system(['chown', '-R', `${UNPRIVILEGED}:${UNPRIVILEGED}`, directory]);
  const own = import.meta.url;
  const daemon = fileURLToPath(new URL(`package-cache-daemon${extname(own)}`, own));
  const log = openSync(logFile, 'w');
  const argv = [daemon, network.operator, String(PACKAGE_CACHE_PORT), directory, String(UNPRIVILEGED), group];
  const child = spawn(process.execPath, ['--max-old-space-size=64', ...argv], {
    cwd: '/',
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  let ended = false;
  child.on('error', () => (ended = true));
  child.on('exit', () => (ended = true));
  child.unref();
  const answersOrEnded = async (): Promise<boolean | undefined> =>
    (await packageCacheStatistics(network)) ? true : ended ? false : undefined;
  if (await poll(answersOrEnded, { everyMs: 50, withinMs: 15_000 })) return;
  const said = await readFile(logFile, 'utf8');
  throw new UserError(`the package cache did not start:\n${said.trim().split('\n').slice(-8).join('\n')}`);
}

/** What the lab's package cache did since it was started; undefined when it does not run. */
export async function packageCacheStatistics(
  network: LabNetwork,
): Promise<PackageCacheStatistics | undefined> {
  try {
    const url = `http://${network.operator}:${PACKAGE_CACHE_PORT}/statistics`;
    const response = await fetch(url, {
      signal: AbortSignal.timeout(2000),
      headers: { connection: 'close' },
    });
    return (await response.json()) as PackageCacheStatistics;
  } catch {
    return undefined;
  }
}
