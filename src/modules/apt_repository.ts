import { posix } from 'node:path';

import { query, type FactQuery } from '../facts/fact.ts';
import { content } from '../facts/content.ts';
import { glob } from '../facts/glob.ts';
import { quote } from '../lib/shell.ts';
import type { Plan } from '../steps/plan.ts';
import { contentSize } from '../steps/step.ts';
import { args, bool, choice, count, mode, str } from './kit/arguments.ts';
import { defineModule } from './kit/define.ts';
import { editFacts, planEdit, readLines } from './parts/edit.ts';
import { toBytesText } from '../lib/python-regex.ts';
import { thenUpdate } from './parts/sources.ts';

const repositoryArgs = args({
  repo: str
    .transform((value) => value.trim())
    .refine((value) => !value.startsWith('ppa:'), {
      error: 'PPAs are not supported; use ansible.builtin.deb822_repository with the address of the archive',
    })
    .refine((value) => /^deb(-src)?\s+(\[[^\]]*\]\s+)?\S+\s+\S+/.test(value), {
      error: "expected a line such as 'deb http://deb.debian.org/debian trixie main'",
    })
    .describe('The source, as a line of sources.list.'),
  state: choice('absent', 'present').default('present').describe('Whether the source shall be there.'),
  filename: str
    .optional()
    .describe('The file in /etc/apt/sources.list.d, without `.list`; made from the address without it.'),
  mode: mode.default('0644').describe('The permissions of that file.'),
  update_cache: bool.default(true).describe('Read the package lists again after a change.'),
  update_cache_retries: count
    .default(5)
    .describe('How often to try again when the package lists cannot be read.'),
  update_cache_retry_max_delay: count
    .default(12)
    .describe('The longest pause between two tries, in seconds.'),
  validate_certs: bool
    .default(true)
    .describe('Accepted, and without effect: it is for PPAs, which are not supported.'),
  codename: str.optional().describe('Accepted, and without effect: it is for PPAs, which are not supported.'),
  install_python_apt: bool.default(true).describe('Accepted, and without effect: no Python is needed.'),
});

const LISTS = query(glob, '/etc/apt/sources.list.d/*.list');
const MAIN = '/etc/apt/sources.list';

/** The name of a list file as Ansible makes it from the line: host and path, with underscores. */
export function listName(repo: string): string {
  const line = repo.replaceAll(/\[[^\]]+\]/g, ' ').replace(/^deb(-src)?\s+/, '');
  const parts = line
    .trim()
    .split(/\s+/)
    .map((part) => part.replace(/^\w+:\/\//, '').replace(/^[^@/]*@/, ''));
  return `${parts
    .join(' ')
    .replaceAll(/[^A-Za-z0-9]+/g, ' ')
    .trim()
    .replaceAll(' ', '_')}.list`;
}

/** Lines are the same whatever their blanks and comments. */
function normal(line: string): string {
  return line
    .trim()
    .replace(/\s#.*$/, '')
    .trim()
    .replaceAll(/\s+/g, ' ');
}

/** Sources of packages, as one-line entries in list files. */
export const aptRepository = defineModule({
  name: 'ansible.builtin.apt_repository',
  summary: 'Adds and removes sources of packages (one-line format).',
  example: `
- name: Add the archive
  ansible.builtin.apt_repository:
    repo: deb [signed-by=/etc/apt/keyrings/example.asc] https://deb.example.org/debian stable main
    filename: example
`,
  args: repositoryArgs,
  aliases: { update_cache: ['update-cache'] },
  facts: () => [LISTS, query(content, MAIN)],
  plan(given, facts): Plan {
    const files = [MAIN, ...facts.get(LISTS)];
    const reads: FactQuery[] = files.map((path) => query(content, path));
    const need = reads.filter((item) => !facts.has(item));
    if (need.length > 0) return { kind: 'need', facts: need };
    const wanted = normal(given.repo);
    const holders = files.filter((path) => {
      const found = facts.get(query(content, path));
      return (
        found.kind === 'file' &&
        found.bytes
          .toString()
          .split('\n')
          .some((line) => normal(line) === wanted)
      );
    });
    const name =
      given.filename === undefined ? listName(given.repo) : `${given.filename.replace(/\.list$/, '')}.list`;
    const target = name.includes('/') ? name : posix.join('/etc/apt/sources.list.d', name);
    const result = { repo: given.repo, state: given.state };
    const isPresent = given.state === 'present';
    if (isPresent === holders.length > 0) return { kind: 'unchanged', result };
    const path = isPresent ? target : (holders[0] ?? target);
    const more = editFacts(path).filter((item) => !facts.has(item));
    if (more.length > 0) return { kind: 'need', facts: more };
    const plan = planEdit({ path, attributes: { mode: given.mode } }, facts, (text) => {
      const lines = readLines(text ?? '');
      if (!isPresent) {
        return {
          text: lines.filter((line) => normal(Buffer.from(line, 'latin1').toString()) !== wanted).join(''),
          result,
        };
      }
      const separated = lines.length > 0 && !lines.at(-1)?.endsWith('\n') ? [...lines, '\n'] : lines;
      return { text: [...separated, `${toBytesText(given.repo)}\n`].join(''), result };
    });
    const isEmpty =
      plan.kind === 'change' &&
      plan.steps.some(
        (step) => step.kind === 'write' && !('targetFile' in step.content) && contentSize(step.content) === 0,
      );
    if (isEmpty && path !== MAIN && plan.kind === 'change') {
      // A list without a line is not left behind.
      const remove = {
        kind: 'script' as const,
        description: `remove ${path}`,
        script: `rm -f -- ${quote(path)}`,
      };
      return given.update_cache
        ? thenUpdate(
            { ...plan, steps: [remove] },
            given.update_cache_retries,
            given.update_cache_retry_max_delay,
          )
        : { ...plan, steps: [remove] };
    }
    return given.update_cache
      ? thenUpdate(plan, given.update_cache_retries, given.update_cache_retry_max_delay)
      : plan;
  },
});
