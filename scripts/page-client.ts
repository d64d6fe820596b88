import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build, transform } from 'esbuild';

import type { PageAssets } from '../src/page/assets.ts';
import { ROOT } from './common.ts';

const CLIENT = join(ROOT, 'src', 'page', 'client');

/** Bundles what runs in browsers: the script with its libraries, and the style. */
export async function buildPageClient(): Promise<PageAssets> {
  const [script, style] = await Promise.all([
    build({
      absWorkingDir: ROOT,
      entryPoints: [join(CLIENT, 'main.tsx')],
      bundle: true,
      write: false,
      platform: 'browser',
      target: 'es2022',
      format: 'esm',
      charset: 'utf8',
      tsconfig: join(CLIENT, 'tsconfig.json'),
      minify: true,
      legalComments: 'none',
      logLevel: 'warning',
    }),
    transform(await readFile(join(CLIENT, 'style.css'), 'utf8'), { loader: 'css', minify: true }),
  ]);
  return { script: script.outputFiles[0]?.text.trim() ?? '', style: style.code.trim() };
}
