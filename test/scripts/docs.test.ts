import test from 'ava';
import { readFileSync } from 'node:fs';

import { generatedDocs } from '../../scripts/docs.ts';
import { PROVISION_VERBS } from '../../src/bin/provision-program.ts';
import { EXIT } from '../../src/lib/errors.ts';
import { registry } from '../../src/modules/registry.ts';

const doc = (name: string): string => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');

for (const [name, text] of Object.entries(generatedDocs())) {
  test(`docs/${name} is current; if not, run node scripts/generate-docs.ts`, (t) => {
    t.is(doc(name), text);
  });
}

test('every module has its section, and every argument its row', (t) => {
  const page = generatedDocs()['modules.md'] ?? '';
  for (const name of Object.keys(registry)) t.true(page.includes(`\n## ${name}\n`), name);
  t.regex(page, /\n\| `dest` \| text \| required \|/);
});

test('docs/exit-codes.md has every exit code', (t) => {
  const page = doc('exit-codes.md');
  for (const code of Object.values(EXIT)) t.regex(page, new RegExp(`^\\| ${code} +\\|`, 'm'));
});

test('the index names every page and every command', (t) => {
  const page = doc('README.md');
  for (const name of ['exit-codes.md', 'json.md', 'modules.md']) t.true(page.includes(`(${name})`), name);
  for (const { name } of PROVISION_VERBS) t.true(page.includes(`provision ${name}`), name);
});
