import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';

import { ensureNode, ROOT } from './common.ts';
import { buildPageClient } from './page-client.ts';

/*
 * Bundles `failover` into files/failover/dist/failover.mjs: one file that runs on Debian's Node.js alone, for the
 * balancers. It reads /etc/understudy/clusters/, and knows nothing of inventories and of an operator's SSH.
 */

ensureNode();

/** What only an operator's machine can do is replaced by words that say so. */
const daemonOnly: Plugin = {
  name: 'daemon-only',
  setup(bundle) {
    const message = 'this program has no inventory: use --cluster /etc/understudy/clusters';
    bundle.onResolve({ filter: /(transport\/ssh|^\.\/cluster)\.ts$/ }, ({ path, importer, kind }) =>
      kind === 'dynamic-import' && importer.endsWith('commands/failover/session.ts')
        ? { path, namespace: 'operator' }
        : undefined,
    );
    bundle.onResolve({ filter: /commands\/failover\/drill\.ts$/ }, ({ path }) => ({
      path,
      namespace: 'operator',
    }));
    bundle.onLoad({ filter: /.*/, namespace: 'operator' }, () => ({
      contents: `import { UserError } from './src/lib/errors.ts';
        const refuse = () => { throw new UserError(${JSON.stringify(message)}); };
        export { refuse as inventoryCluster, refuse as inventoryClusters, refuse as sshTransport, refuse as drillCommand };`,
      resolveDir: ROOT,
    }));
  },
};

/** Another directory may be named, for tests. */
const target = process.argv[2] ?? join(ROOT, 'files', 'failover', 'dist');
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };

const page = await buildPageClient();
await mkdir(target, { recursive: true });
// For \`failover page\` of a checkout, which runs from its sources.
await writeFile(join(target, 'page.json'), JSON.stringify(page));
await build({
  absWorkingDir: ROOT,
  entryPoints: ['src/bin/failover.ts'],
  outfile: join(target, 'failover.mjs'),
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  plugins: [daemonOnly],
  define: {
    BUNDLED_MANIFEST: JSON.stringify({ version, engines: { node: '>=20' } }),
    BUNDLED_PAGE: JSON.stringify(page),
  },
  // The driver is CommonJS and asks for Node's own modules by require.
  banner: {
    js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
  },
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  logLevel: 'warning',
});
