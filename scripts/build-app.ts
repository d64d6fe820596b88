import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/*
 * Bundles the sample app into files/app/dist: app.mjs and role-check.mjs run on Debian's Node.js alone. The file
 * `release` names the release by its content, so the same source is the same release.
 */

const source = fileURLToPath(new URL('../files/app/', import.meta.url));
const target = join(source, 'dist');

await rm(target, { recursive: true, force: true });
await mkdir(target);
await build({
  absWorkingDir: source,
  entryPoints: ['app.ts', 'role-check.ts'],
  outdir: target,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  // The driver is CommonJS and asks for Node's own modules by require.
  banner: {
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  },
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  logLevel: 'warning',
});
await cp(join(source, 'static'), join(target, 'static'), { recursive: true });

const hash = createHash('sha256');
for (const entry of (await readdir(target, { recursive: true, withFileTypes: true }))
  .filter((each) => each.isFile())
  .map((each) => join(each.parentPath, each.name))
  .sort()) {
  hash.update(`${entry.slice(target.length)}\0`).update(await readFile(entry));
}
await writeFile(join(target, 'release'), hash.digest('hex').slice(0, 12));
