import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

import { ensureNode, ROOT } from './common.ts';

/** Bundles the writer of `failover drill` into files/drill/dist/writer.mjs, which runs on Debian's Node.js alone. */
export async function buildDrill(): Promise<void> {
  const target = join(ROOT, 'files', 'drill', 'dist');
  await mkdir(target, { recursive: true });
  await build({
    absWorkingDir: ROOT,
    entryPoints: ['src/failover/drill/writer-program.ts'],
    outfile: join(target, 'writer.mjs'),
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    // The driver is CommonJS and asks for Node's own modules by require.
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
    },
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    logLevel: 'warning',
  });
}

if (import.meta.main) {
  ensureNode();
  await buildDrill();
}
