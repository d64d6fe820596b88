// Makes dist/, the JavaScript of the published package: Node refuses to strip types below node_modules.
import { chmodSync, globSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { ensureNode, ROOT, runTool } from './common.ts';

ensureNode();

const dist = join(ROOT, 'dist');
rmSync(dist, { recursive: true, force: true });
const status = await runTool('tsc', ['--project', 'tsconfig.build.json']);
if (status !== 0) process.exit(status);

for (const program of ['provision.js', 'failover.js']) chmodSync(join(dist, 'bin', program), 0o755);

// tsc rewrites the endings of imports, but not of paths that are made at run time.
const stale = globSync('**/*.js', { cwd: dist }).filter((file) =>
  /import\.meta\.(url|dirname|filename|resolve)[^\n]*\.ts['"`]|new URL\(['"`][^'"`\n]*\.ts['"`]/.test(
    readFileSync(join(dist, file), 'utf8'),
  ),
);
for (const file of stale)
  process.stderr.write(`dist/${file} names a .ts file, which the package does not have\n`);
if (stale.length > 0) process.exitCode = 1;
