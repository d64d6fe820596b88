import { posix } from 'node:path';

import { query, type FactQuery } from '../facts/fact.ts';
import { file as fileFact, type ExistingFile, type FileKey } from '../facts/file.ts';
import type { Plan, Result } from '../steps/plan.ts';
import { args, bool, choice, only, path } from './kit/arguments.ts';
import { defineModule } from './kit/define.ts';
import { statResult } from './parts/stat-result.ts';

const statArgs = args({
  path: path.describe('The path on the target.'),
  follow: bool.default(false).describe('Look at what a symbolic link points to.'),
  get_checksum: bool.default(true).describe('Return a digest of the content.'),
  get_md5: only(false, 'give checksum_algorithm: md5 instead').describe('It is gone from Ansible, too.'),
  get_mime: bool.default(true).describe('Accepted, and without effect: no MIME type is returned.'),
  get_attributes: bool
    .default(true)
    .describe('Accepted, and without effect: flags of chattr are not returned.'),
  checksum_algorithm: choice('md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512')
    .default('sha1')
    .describe('The kind of digest.'),
});

type StatArgs = (typeof statArgs)['_output'];

function keyOf(given: StatArgs): FileKey {
  return {
    path: given.path,
    follow: given.follow,
    checksum: given.get_checksum ? given.checksum_algorithm : undefined,
  };
}

/** What is at a path; nothing is changed. */
export const stat = defineModule({
  name: 'ansible.builtin.stat',
  summary: 'Returns what is at a path: type, owner, mode, times and checksum.',
  example: `
- name: See whether it is there
  ansible.builtin.stat:
    path: /srv/app/current
`,
  args: statArgs,
  aliases: {
    path: ['dest', 'name'],
    get_mime: ['mime', 'mime_type', 'mime-type'],
    get_attributes: ['attr', 'attributes'],
    checksum_algorithm: ['checksum', 'checksum_algo'],
  },
  paths: ['path'],
  facts: (given): FactQuery[] => [query(fileFact, keyOf(given))],
  plan(given, facts): Plan {
    const found = facts.get(query(fileFact, keyOf(given)));
    return { kind: 'unchanged', result: { stat: found.exists ? describe(given, found) : { exists: false } } };
  },
});

function describe(given: StatArgs, found: ExistingFile): Result {
  const { target } = found;
  return {
    exists: true,
    path: given.path,
    ...statResult(found),
    readable: found.readable,
    writeable: found.writable,
    executable: found.executable,
    ...(found.type === 'link' && target !== undefined
      ? { lnk_target: target, lnk_source: found.realPath ?? posix.resolve(posix.dirname(given.path), target) }
      : {}),
    ...(found.checksum === undefined ? {} : { checksum: found.checksum }),
  };
}
