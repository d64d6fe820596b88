import { posix } from 'node:path';

import { query } from '../facts/fact.ts';
import { file as fileFact, type ChecksumAlgorithm, type FileFact } from '../facts/file.ts';
import type { Outcome, Plan } from '../steps/plan.ts';
import type { StepOutput } from '../steps/step.ts';
import { args, bool, fileAliases, fileArguments, path, str } from './kit/arguments.ts';
import { attributesOf } from './parts/attributes.ts';
import { defineModule } from './kit/define.ts';
import { attributeWork, fileResult, md5, workPlan, placedAt } from './parts/file-plan.ts';
import { httpArguments, requestHeaders, timeout } from './parts/http-arguments.ts';

const CHECKSUM = /^(md5|sha1|sha224|sha256|sha384|sha512):([0-9a-fA-F]{32,128})$/;

const getArgs = args({
  ...httpArguments,
  dest: path.describe(
    'The file to write on the target, or a directory, where the name comes from the address.',
  ),
  backup: bool.default(false).describe('Keep a copy of the file as it was, with the time in its name.'),
  checksum: str
    .default('')
    .refine((value) => value === '' || CHECKSUM.test(value.replaceAll(/\s/g, '')), {
      error:
        'expected ALGORITHM:DIGEST, such as sha256:9f86d0…; the address of a list of checksums is not supported',
    })
    .describe(
      '`ALGORITHM:DIGEST` of what is expected; a file that has it is not downloaded again, and another download fails.',
    ),
  timeout: timeout.default(10).describe('For how many seconds the server may be silent.'),
  tmp_dest: path
    .optional()
    .describe(
      "Accepted, and without effect: the temporary file is beside the target's, so that it can take its place at once.",
    ),
  ...fileArguments,
});

type GetArgs = (typeof getArgs)['_output'];

interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly digest: string;
}

function checksumOf(given: GetArgs): Checksum | undefined {
  const match = CHECKSUM.exec(given.checksum.replaceAll(/\s/g, ''));
  if (!match) return undefined;
  return { algorithm: match[1] as ChecksumAlgorithm, digest: (match[2] ?? '').toLowerCase() };
}

function fileQuery(dest: string, checksum: Checksum | undefined) {
  return query(fileFact, { path: dest, checksum: checksum?.algorithm ?? 'sha1' });
}

/** Downloads a file to the target. */
export const getUrl = defineModule({
  name: 'ansible.builtin.get_url',
  summary: "Downloads a file, from the target's place in the network.",
  example: `
- name: Download the program
  ansible.builtin.get_url:
    url: https://www.example.org/tool
    dest: /usr/local/bin/tool
    checksum: sha256:{{ tool_sha256 }}
    mode: '0755'
`,
  args: getArgs,
  aliases: { url_username: ['username'], url_password: ['password'], ...fileAliases },
  paths: ['dest', 'ca_path'],
  afterwards: placedAt('dest'),
  facts: (given) => [fileQuery(given.dest, checksumOf(given))],
  plan(given, facts): Plan {
    const checksum = checksumOf(given);
    const atDest = facts.get(fileQuery(given.dest, checksum));
    const isDirectory = (atDest.exists && atDest.type === 'directory') || given.dest.endsWith('/');
    const dest = isDirectory ? posix.join(given.dest, nameOf(given.url)) : given.dest;
    const needed = fileQuery(dest, checksum);
    if (!facts.has(needed)) return { kind: 'need', facts: [needed] };
    const current = facts.get(needed);
    const attributes = attributesOf(given);
    const base = {
      url: given.url,
      dest,
      checksum_dest: current.exists ? (current.checksum ?? null) : null,
      ...fileResult(current, attributes),
    };
    // A digest tells whether the file is the one that is wanted; without one, any file will do unless forced.
    const isThere =
      current.exists &&
      (checksum ? current.checksum === checksum.digest : !given.force && current.type === 'file');
    if (isThere) {
      const work = attributeWork(dest, attributes, current, facts);
      return workPlan(work, { ...base, msg: 'file already exists' });
    }
    return {
      kind: 'change',
      diffs: [
        {
          subject: dest,
          before: current.exists ? `checksum: ${current.checksum ?? ''}\n` : '',
          after: checksum ? `checksum: ${checksum.digest}\n` : `from ${given.url}\n`,
        },
      ],
      steps: [
        {
          kind: 'http',
          url: given.url,
          method: 'GET',
          headers: requestHeaders(given),
          timeoutMs: given.timeout * 1000,
          validateCerts: given.validate_certs,
          caPath: given.ca_path,
          useProxy: given.use_proxy,
          redirects: 10,
          save: {
            path: dest,
            attributes,
            backup: given.backup,
            unsafe: given.unsafe_writes,
            checksum,
            unlessSha1: checksum || !current.exists ? undefined : current.checksum,
          },
        },
      ],
      result: base,
      finish: ([output]) => finish(given, current, base, checksum, output),
    };
  },
});

/** The name that a file gets in a directory: the last part of the address. */
function nameOf(url: string): string {
  return decodeURIComponent(new URL(url).pathname.split('/').at(-1) ?? '') || 'index.html';
}

function finish(
  given: GetArgs,
  current: FileFact,
  base: Readonly<Record<string, unknown>>,
  checksum: Checksum | undefined,
  output: StepOutput | undefined,
): Outcome {
  if (output?.kind !== 'http') {
    const message = output?.kind === 'no-answer' ? output.message : 'no answer';
    return { status: 'failed', message: `Request failed: ${message}`, result: { ...base, status_code: -1 } };
  }
  const result = {
    ...base,
    status_code: output.status,
    elapsed: Math.round(output.ms / 1000),
    msg: `OK (${output.size} bytes)`,
  };
  if (output.status < 200 || output.status > 299) {
    return {
      status: 'failed',
      message: `Request failed: HTTP Error ${output.status} (${given.url})`,
      result,
    };
  }
  return {
    status: 'ok',
    changed: checksum !== undefined || !current.exists || current.checksum !== output.sha1,
    result: {
      ...result,
      size: output.size,
      checksum_src: output.sha1,
      checksum_dest: current.exists ? current.checksum : undefined,
      md5sum: output.size === output.body.length ? md5(output.body) : undefined,
    },
  };
}
