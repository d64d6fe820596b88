// Makes dist/, the JavaScript of the published package: Node refuses to strip types below node_modules.
import { chmodSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

import { ensureNode, ROOT } from './common.ts';
import { buildPageClient } from './page-client.ts';
import { scriptCommand } from './options.ts';

ensureNode();
scriptCommand('build', 'makes dist/, the JavaScript of the published package', [
  ['npm run build', 'before npm pack; npm does it by itself'],
]).parse();

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  readonly dependencies: Readonly<Record<string, string>>;
};
const dist = join(ROOT, 'dist');
rmSync(dist, { recursive: true, force: true });
/*
 * A few files instead of hundreds: finding and reading each of them was a sixth of the time that a short run takes.
 * What is imported on demand stays on demand, and the packages that are installed with it stay packages. All files are in one directory, because some
 * find others beside themselves.
 */
await build({
  absWorkingDir: ROOT,
  entryPoints: ['src/bin/provision.ts', 'src/bin/failover.ts', 'src/lab/package-cache-daemon.ts'],
  entryNames: '[name]',
  outdir: join(dist, 'bin'),
  bundle: true,
  splitting: true,
  // What is only for development is part of the files: the libraries of the page.
  external: Object.keys(manifest.dependencies),
  define: { BUNDLED_PAGE: JSON.stringify(await buildPageClient()) },
  platform: 'node',
  format: 'esm',
  target: 'node24',
  logLevel: 'warning',
});
for (const program of ['provision.js', 'failover.js']) {
  const file = join(dist, 'bin', program);
  if (!readFileSync(file, 'utf8').startsWith('#!/usr/bin/env node\n'))
    throw new Error(`${file} does not begin with the name of its interpreter`);
  chmodSync(file, 0o755);
}
