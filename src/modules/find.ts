import { posix } from 'node:path';

import { directory, type DirectoryEntry, type DirectoryKey } from '../facts/directory.ts';
import { query, type FactQuery, type FactReader } from '../facts/fact.ts';
import { file as fileFact, type ChecksumAlgorithm, type FileFact } from '../facts/file.ts';
import { content } from '../facts/content.ts';
import { setup } from '../facts/setup.ts';
import type { Plan, Result } from '../steps/plan.ts';
import { args, bool, choice, int, list, mode, path, str } from './kit/arguments.ts';
import { defineModule } from './kit/define.ts';
import { pattern } from './parts/edit.ts';
import { resolveMode } from './parts/mode.ts';
import { pythonRegex, toBytesText } from '../lib/python-regex.ts';
import { shellPattern } from './parts/shell-pattern.ts';
import { statResult } from './parts/stat-result.ts';

const SIZE = /^(-?\d+)(b|k|m|g|t)?$/i;
const AGE = /^(-?\d+)(s|m|h|d|w)?$/i;

const findArgs = args({
  paths: list(path).describe('The directories to look in.'),
  patterns: list(str).default([]).describe('Only names that match one of these shell patterns.'),
  excludes: list(str).default([]).describe('No names that match one of these patterns.'),
  contains: pattern
    .optional()
    .describe('Only files with a line that matches this regular expression from its beginning.'),
  read_whole_file: bool
    .default(false)
    .describe('Look for `contains` anywhere in the whole file, instead of at the beginning of each line.'),
  encoding: choice('utf-8', 'utf8', 'ascii')
    .optional()
    .describe('Accepted, and without effect: `contains` is compared byte for byte.'),
  file_type: choice('any', 'directory', 'file', 'link').default('file').describe('What to look for.'),
  age: str
    .refine((value) => AGE.test(value), { error: 'expected an age such as 2d or -1h' })
    .optional()
    .describe(
      'Only what is at least this old, or with a minus at most: a number of seconds, or with `m`, `h`, `d`, `w`.',
    ),
  age_stamp: choice('atime', 'ctime', 'mtime').default('mtime').describe('The time that `age` is about.'),
  size: str
    .refine((value) => SIZE.test(value), { error: 'expected a size such as 10m or -1k' })
    .optional()
    .describe('Only files at least this large, or with a minus at most: bytes, or with `k`, `m`, `g`, `t`.'),
  recurse: bool.default(false).describe('Look in the directories below, too.'),
  depth: int.optional().describe('How many levels down, with `recurse`.'),
  hidden: bool.default(false).describe('Include names that begin with a dot.'),
  follow: bool.default(false).describe('Go into directories that symbolic links point to.'),
  get_checksum: bool.default(false).describe('Return a digest of each file.'),
  checksum_algorithm: choice('md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512')
    .default('sha1')
    .describe('The kind of digest.'),
  use_regex: bool.default(false).describe('The patterns are regular expressions.'),
  mode: mode.optional().describe('Only what has these permissions, as a number or as words from none.'),
  exact_mode: bool
    .default(true)
    .describe('The permissions must be those of `mode`; with `no`, any of its bits will do.'),
  limit: int.optional().describe('Return at most so many.'),
});

type FindArgs = (typeof findArgs)['_output'];

const NOW = query(setup, '/etc/ansible/facts.d');

function keyOf(given: FindArgs, root: string): DirectoryKey {
  return { path: root, depth: given.recurse ? given.depth : 1, follow: given.follow };
}

/** Files below directories that meet conditions. */
export const find = defineModule({
  name: 'ansible.builtin.find',
  summary: 'Returns the files below directories that meet conditions.',
  example: `
- name: Find old logs
  ansible.builtin.find:
    paths: /var/log/app
    patterns: '*.log'
    age: 4w
`,
  args: findArgs,
  aliases: {
    paths: ['name', 'path'],
    patterns: ['pattern'],
    excludes: ['exclude'],
    checksum_algorithm: ['checksum', 'checksum_algo'],
  },
  facts: (given) => [
    ...given.paths.map((root) => query(directory, keyOf(given, root))),
    // Ages count from the target's clock.
    ...(given.age === undefined ? [] : [NOW]),
  ],
  plan: planFind,
});

interface Found {
  readonly path: string;
  readonly entry: DirectoryEntry;
}

function planFind(given: FindArgs, facts: FactReader): Plan {
  const found: Found[] = [];
  const skipped: Record<string, string> = {};
  let examined = 0;
  for (const root of given.paths) {
    const listing = facts.get(query(directory, keyOf(given, root)));
    if (!listing.exists) {
      skipped[root] = `'${root}' is not a directory`;
      continue;
    }
    examined += listing.entries.length;
    for (const entry of listing.entries) {
      const item = { path: posix.join(root, entry.path), entry };
      if (isWanted(given, item, facts)) found.push(item);
    }
  }
  const more = found.flatMap((item) => queriesOf(given, item));
  const need = more.filter((item) => !facts.has(item));
  if (need.length > 0) return { kind: 'need', facts: need };
  const files = found
    .filter((item) => containsLine(given, item, facts))
    .slice(0, given.limit ?? found.length)
    .map((item) => describe(given, item, facts));
  return {
    kind: 'unchanged',
    result: {
      files,
      matched: files.length,
      examined,
      skipped_paths: skipped,
      msg:
        Object.keys(skipped).length === 0
          ? 'All paths examined'
          : 'Not all paths examined, check warnings for details',
    },
  };
}

function isWanted(given: FindArgs, { entry }: Found, facts: FactReader): boolean {
  const name = posix.basename(entry.path);
  if (!given.hidden && name.startsWith('.')) return false;
  if (given.file_type !== 'any' && entry.type !== given.file_type) return false;
  const matches = (patterns: readonly string[]): boolean =>
    patterns.some((source) =>
      given.use_regex
        ? pythonRegex(source, { bytes: true }).match(toBytesText(name)) !== null
        : shellPattern(source).test(name),
    );
  if (given.patterns.length > 0 && !matches(given.patterns)) return false;
  if (given.excludes.length > 0 && matches(given.excludes)) return false;
  return hasMode(given, entry) && hasSize(given, entry) && hasAge(given, entry, facts);
}

function hasMode(given: FindArgs, entry: DirectoryEntry): boolean {
  if (given.mode === undefined) return true;
  const wanted = resolveMode(given.mode, 0, entry.type === 'directory');
  return given.exact_mode ? entry.mode === wanted : (entry.mode & wanted) !== 0;
}

function hasSize(given: FindArgs, entry: DirectoryEntry): boolean {
  const match = SIZE.exec(given.size ?? '');
  if (!match) return true;
  const factor = 1024 ** 'bkmgt'.indexOf((match[2] ?? 'b').toLowerCase());
  const size = Number(match[1]) * factor;
  return size >= 0 ? entry.size >= size : entry.size <= -size;
}

function hasAge(given: FindArgs, entry: DirectoryEntry, facts: FactReader): boolean {
  const match = AGE.exec(given.age ?? '');
  if (!match) return true;
  const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
  const age = Number(match[1]) * (units[(match[2] ?? 's').toLowerCase()] ?? 1);
  const time = facts.get(NOW)['date_time'] as { readonly epoch?: string } | undefined;
  const passed = Number(time?.epoch ?? 0) - entry[given.age_stamp];
  return age >= 0 ? passed >= age : passed <= -age;
}

function checksumQuery(given: FindArgs, item: Found): FactQuery<FileFact> {
  const algorithm: ChecksumAlgorithm = given.checksum_algorithm;
  return query(fileFact, { path: item.path, checksum: algorithm });
}

function queriesOf(given: FindArgs, item: Found): FactQuery[] {
  if (item.entry.type !== 'file') return [];
  return [
    ...(given.get_checksum ? [checksumQuery(given, item)] : []),
    ...(given.contains === undefined ? [] : [query(content, item.path)]),
  ];
}

function containsLine(given: FindArgs, item: Found, facts: FactReader): boolean {
  if (given.contains === undefined) return true;
  if (item.entry.type !== 'file') return false;
  const found = facts.get(query(content, item.path));
  if (found.kind !== 'file') return false;
  const regexp = pythonRegex(given.contains, { bytes: true });
  const text = found.bytes.toString('latin1');
  if (given.read_whole_file) return regexp.search(text) !== null;
  return text.split('\n').some((line) => regexp.match(line) !== null);
}

function describe(given: FindArgs, item: Found, facts: FactReader): Result {
  const { entry } = item;
  const checksum =
    given.get_checksum && entry.type === 'file' ? facts.get(checksumQuery(given, item)) : undefined;
  return {
    path: item.path,
    ...statResult(entry),
    ...(checksum?.exists && checksum.checksum !== undefined ? { checksum: checksum.checksum } : {}),
  };
}
