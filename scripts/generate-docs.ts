// Writes the reference pages that are made from the source. --check only says whether they are current.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { ensureNode, ROOT } from './common.ts';
import { generatedDocs } from './docs.ts';

ensureNode();

for (const [file, text] of Object.entries(generatedDocs())) {
  const path = join(ROOT, 'docs', file);
  if (process.argv.includes('--check')) {
    if (readFileSync(path, 'utf8') === text) continue;
    process.stderr.write(`docs/${file} is not current: run \`node scripts/generate-docs.ts\`\n`);
    process.exitCode = 1;
  } else {
    writeFileSync(path, text);
  }
}
