import { readFileSync } from 'node:fs';

// Everything in this file must run under any Node since 18: it is what says that the running one is too old.

interface Manifest {
  readonly version: string;
  readonly engines: { readonly node: string };
}

/** Of a bundle, which is one file without a package around it: `scripts/build-failover.ts` puts it in. */
declare const BUNDLED_MANIFEST: Manifest | undefined;

const manifest: Manifest =
  typeof BUNDLED_MANIFEST === 'undefined'
    ? (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as Manifest)
    : BUNDLED_MANIFEST;

/** The version in package.json. */
export const VERSION = manifest.version;

/** Why the programs cannot run under this Node, if they cannot. */
export function nodeLimitation(running: string = process.versions.node): string | undefined {
  const needed = /\d+/.exec(manifest.engines.node)?.[0] ?? '';
  if (Number.parseInt(running, 10) >= Number(needed)) return undefined;
  return (
    `Node.js ${needed} or newer is needed, and this is Node.js ${running} (${process.execPath}).\n` +
    `  hint: install Node.js ${needed} (https://nodejs.org/en/download), or put it first in PATH`
  );
}
