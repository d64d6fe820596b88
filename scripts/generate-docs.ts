// Writes the reference pages that are made from the source. --check only says whether they are current.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { withRooms } from './architecture.ts';
import { ensureNode, ROOT } from './common.ts';
import { generatedDocs } from './docs.ts';
import { rulesFile } from '../src/monitoring/rules.ts';

ensureNode();

const architecture = withRooms(readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8'));
const pages = Object.entries(generatedDocs()).map(([file, text]) => [`docs/${file}`, text] as const);

const files = [
  ...pages,
  ['ARCHITECTURE.md', architecture],
  ['files/monitoring/site.rules.yml', rulesFile()],
] as const;
for (const [file, text] of files) {
  const path = join(ROOT, file);
  if (process.argv.includes('--check')) {
    if (readFileSync(path, 'utf8') === text) continue;
    process.stderr.write(`${file} is not current: run \`node scripts/generate-docs.ts\`\n`);
    process.exitCode = 1;
  } else {
    writeFileSync(path, text);
  }
}
