import { posix } from 'node:path';

import { query, type FactQuery } from '../facts/fact.ts';
import { file as fileFact, type ExistingFile, type FileKey } from '../facts/file.ts';
import { fileDetails, type FileDetails } from '../facts/file-details.ts';
import type { Plan, Result } from '../steps/plan.ts';
import { args, bool, choice, only, path } from './kit/arguments.ts';
import { defineModule } from './kit/define.ts';
import { statResult } from './parts/stat-result.ts';

const statArgs = args({
  path: path.describe('The path on the target.'),
  follow: bool.default(false).describe('Look at what a symbolic link points to.'),
  get_checksum: bool.default(true).describe('Return a digest of the content.'),
  get_md5: only(false, 'give checksum_algorithm: md5 instead').describe('It is gone from Ansible, too.'),
  get_mime: bool.default(true).describe('Return what file(1) says of the content, where it is installed.'),
  get_attributes: bool.default(true).describe('Return the flags of chattr, where lsattr(1) can read them.'),
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
  facts: (given): FactQuery[] => [query(fileFact, keyOf(given)), detailsOf(given)],
  plan(given, facts): Plan {
    const found = facts.get(query(fileFact, keyOf(given)));
    if (!found.exists) return { kind: 'unchanged', result: { stat: { exists: false } } };
    const details = facts.get(detailsOf(given));
    return {
      kind: 'unchanged',
      result: { stat: { ...describe(given, found), ...(details ? detailsResult(given, details) : {}) } },
    };
  },
});

function detailsOf(given: StatArgs): FactQuery<FileDetails | undefined> {
  return query(fileDetails, { path: given.path, follow: given.follow });
}

function detailsResult(given: StatArgs, details: FileDetails): Result {
  return {
    blocks: details.blocks,
    block_size: details.blockSize,
    device_type: details.deviceType,
    ...(given.get_mime ? { mimetype: details.mimeType, charset: details.charset } : {}),
    ...(given.get_attributes
      ? {
          version: details.version ?? null,
          attr_flags: details.flags,
          attributes: [...details.flags].flatMap((flag) => FLAGS[flag] ?? []),
        }
      : {}),
  };
}

/** Ansible's names for the letters of chattr(1). */
const FLAGS: Readonly<Record<string, string>> = {
  A: 'noatime',
  a: 'append',
  C: 'nocow',
  c: 'compressed',
  D: 'dirsync',
  d: 'nodump',
  E: 'encrypted',
  e: 'extents',
  h: 'blocksize',
  I: 'indexed',
  i: 'immutable',
  j: 'journalled',
  N: 'inline',
  S: 'synchronous',
  s: 'zero',
  T: 'blockroot',
  t: 'notail',
  u: 'undelete',
  X: 'compressedraw',
  Z: 'compresseddirty',
};

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
