import test from 'ava';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';

import { generatedDocs, textArgument } from '../../scripts/docs.ts';
import { PROVISION_VERBS } from '../../src/bin/provision-program.ts';
import { EXIT } from '../../src/lib/errors.ts';
import { argumentNames, parseArguments } from '../../src/modules/kit/parse.ts';
import { allModules } from '../../src/modules/find-module.ts';

const registry = await allModules();

const DOCS = join(import.meta.dirname, '../../docs');

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

for (const [name, module] of Object.entries(registry)) {
  if (name === 'ansible.builtin.apt_key') continue;
  test(`${name} has a sentence on each argument, and an example that loads`, (t) => {
    const section = (generatedDocs()['modules.md'] ?? '').split(`\n## ${name}\n`)[1]?.split('\n## ')[0] ?? '';
    const rows = section.split('\n').filter((line) => line.startsWith('| `'));
    for (const row of rows) t.regex(row, /\| [A-Z`][^|]*(\\\|[^|]*)*\. \|$/);
    t.deepEqual(argumentNames(module).length, rows.length + section.split('\n- `').length - 1);
    const [task] = parse(module.example ?? '') as Record<string, unknown>[];
    const [, [action, args] = ['', undefined]] = Object.entries(task ?? {});
    t.is(action, name);
    const given = typeof args === 'string' ? { [textArgument(module) ?? '']: args } : (args ?? {});
    const rendered = JSON.parse(
      JSON.stringify(given)
        .replaceAll(/\{\{ *tool_sha256 *\}\}/g, 'a'.repeat(64))
        .replaceAll(/\{\{ *inventory_hostname *\}\}/g, 'web1'),
    );
    t.true('args' in parseArguments(module, rendered as Record<string, unknown>));
  });
}

test('docs/exit-codes.md has every exit code', (t) => {
  const page = doc('exit-codes.md');
  for (const code of Object.values(EXIT)) t.regex(page, new RegExp(`^\\| ${code} +\\|`, 'm'));
});

test('the index names every page and every command', (t) => {
  const page = doc('README.md');
  const pages = readdirSync(DOCS).filter((name) => name.endsWith('.md') && name !== 'README.md');
  for (const name of pages) t.true(page.includes(`(${name})`), name);
  for (const { name } of PROVISION_VERBS) t.true(page.includes(`provision ${name}`), name);
});

/** GitHub's anchor of a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w -]/g, '')
    .replaceAll(' ', '-');
}

for (const name of ['../README.md', '../ARCHITECTURE.md', '../playbooks/README.md', ...readdirSync(DOCS)]) {
  if (!name.endsWith('.md')) continue;
  test(`every link of ${name} leads somewhere`, (t) => {
    const dead = [...doc(name).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = '']) => {
      if (/^https?:/.test(target)) return [];
      const [file = '', anchor] = target.split('#');
      const path = file === '' ? join(DOCS, name) : join(DOCS, dirname(name), file);
      if (!existsSync(path)) return [target];
      if (anchor === undefined) return [];
      const headings = [...readFileSync(path, 'utf8').matchAll(/^#+ (.*)$/gm)];
      return headings.some((heading) => anchorOf(heading[1] ?? '') === anchor) ? [] : [target];
    });
    t.deepEqual(dead, []);
  });
}
