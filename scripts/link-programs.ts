// Puts the programs where npx looks first, so that `npx provision` works in a checkout. npm links those of packages that
// others depend on, and not a package's own.
import { existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync, unlinkSync } from 'node:fs';
import { join, relative } from 'node:path';

import { ensureNode, ROOT } from './common.ts';

ensureNode();

const { bin } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  bin: Readonly<Record<string, string>>;
};
const directory = join(ROOT, 'node_modules', '.bin');
mkdirSync(directory, { recursive: true });
for (const [name, file] of Object.entries(bin)) {
  const link = join(directory, name);
  if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() === true) unlinkSync(link);
  if (!existsSync(link)) symlinkSync(relative(directory, join(ROOT, file)), link);
}
