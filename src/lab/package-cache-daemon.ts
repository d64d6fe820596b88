import { writeFile } from 'node:fs/promises';
import process from 'node:process';
import { aptProxies } from '../lib/apt-proxy.ts';
import { packageCache } from './package-cache.ts';
import { pruneCache } from './package-store.ts';
import { system } from './system.ts';

/*
 * The package cache as a process of its own: `package-cache-daemon ADDRESS PORT DIRECTORY USER CGROUP`. It joins the
 * lab's control group by itself, so that `lab down` finds it, and then gives up being root.
 */
const [address, port, directory, user, cgroup] = process.argv.slice(2);
if (!address || !port || !directory || !user || !cgroup) throw new Error('five arguments are needed');

await writeFile(`${cgroup}/cgroup.procs`, String(process.pid));
// This machine reaches the sources as its own apt does.
const { stdout: configuration } = await system(['apt-config', 'dump']);
const server = packageCache({
  directory,
  proxyFor: aptProxies(configuration, process.env),
  log: (line) => process.stdout.write(`${new Date().toISOString()} ${line}\n`),
});
server.listen(Number(port), address, () => {
  process.setgroups?.([Number(user)]);
  process.setgid?.(Number(user));
  process.setuid?.(Number(user));
  void pruneCache(directory);
});
server.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
