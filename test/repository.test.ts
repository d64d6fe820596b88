import test from 'ava';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const ROOT = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const manifest = JSON.parse(read('package.json')) as {
  readonly repository: { readonly url: string };
  readonly bugs: string;
  readonly homepage: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly files: readonly string[];
  readonly engines: { readonly node: string };
};
/** The one place that says where the project lives. */
const REPOSITORY = manifest.repository.url.replace(/^git\+/, '').replace(/\.git$/, '');
const WORKFLOWS = globSync('.github/workflows/*.yml', { cwd: ROOT });

test('every address of the project is that of the repository in package.json', (t) => {
  t.is(manifest.bugs, `${REPOSITORY}/issues`);
  t.is(manifest.homepage, `${REPOSITORY}#readme`);
  const pages = globSync(['*.md', 'docs/*.md', '.github/**/*.yml'], { cwd: ROOT });
  for (const page of pages)
    for (const [address] of read(page).matchAll(/https:\/\/github\.com\/[\w-]+\/understudy\b[^\s)]*/g))
      t.true(address.startsWith(REPOSITORY), `${page}: ${address}`);
});

test('what the package exports is there, and is packed', (t) => {
  for (const file of Object.values(manifest.exports)) {
    t.true(existsSync(join(ROOT, file)), file);
    t.true(file === './package.json' || manifest.files.includes(file.split('/')[1] ?? ''), file);
  }
});

test('actions are pinned by a whole commit, with the version beside it', (t) => {
  t.true(WORKFLOWS.length > 0);
  for (const workflow of WORKFLOWS)
    for (const [line] of read(workflow).matchAll(/^.*\buses:.*$/gm))
      t.regex(line, /uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/, workflow);
});

test('a workflow may do no more than it says, and ends by itself', (t) => {
  for (const workflow of WORKFLOWS) {
    const { permissions, jobs } = parse(read(workflow)) as {
      permissions?: object;
      jobs: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
    };
    t.deepEqual(permissions, { contents: 'read' }, workflow);
    for (const [name, job] of Object.entries(jobs))
      t.is(typeof job['timeout-minutes'], 'number', `${workflow}: ${name}`);
  }
});

test('the Node.js versions of the tests are supported ones, the oldest among them', (t) => {
  const { jobs } = parse(read('.github/workflows/ci.yml')) as {
    jobs: { unit: { strategy: { matrix: { node: readonly number[] } } } };
  };
  const versions = jobs.unit.strategy.matrix.node;
  t.is(manifest.engines.node, `>=${Math.min(...versions)}`);
});
