import { isAbsolute, posix, resolve } from 'node:path';

import { query } from '../facts/fact.ts';
import { file as fileFact } from '../facts/file.ts';
import type { Plan, PlanContext } from '../steps/plan.ts';
import { args, bool, path } from './kit/arguments.ts';
import { defineModule } from './kit/define.ts';
import { sha1 } from './parts/file-plan.ts';

const fetchArgs = args({
  src: path.describe('The file on the target.'),
  dest: path.describe(
    'The directory on the controller, below which the file gets the path HOST/SRC; relative to the playbook.',
  ),
  flat: bool
    .default(false)
    .describe('`dest` is the file itself, or with `/` at its end the directory that it goes straight into.'),
  fail_on_missing: bool.default(true).describe('Fail when there is no such file, or it cannot be read.'),
  validate_checksum: bool.default(true).describe('Fail when what arrived is not what the target has.'),
});

type FetchArgs = (typeof fetchArgs)['_output'];

function sourceQuery(src: string) {
  return query(fileFact, { path: src, follow: true, checksum: 'sha1' });
}

/** Brings a file of the target to the controller. */
export const fetch = defineModule({
  name: 'ansible.builtin.fetch',
  summary: 'Brings a file of the target to the controller.',
  example: `
- name: Keep the host's certificate
  ansible.builtin.fetch:
    src: /etc/ssl/certs/site.pem
    dest: fetched/
`,
  args: fetchArgs,
  paths: ['src'],
  facts: (given) => [sourceQuery(given.src)],
  plan(given, facts, context): Plan {
    const source = facts.get(sourceQuery(given.src));
    const problem = !source.exists
      ? 'the remote file does not exist'
      : source.type === 'directory'
        ? 'remote file is a directory, fetch cannot work on directories'
        : source.type !== 'file' && source.type !== 'link'
          ? `the remote file is a ${source.type}, which has no end to fetch`
          : source.checksum === undefined
            ? 'the remote file is not readable'
            : undefined;
    if (problem !== undefined || !source.exists) {
      const result = { file: given.src };
      return given.fail_on_missing
        ? { kind: 'failed', message: `${given.src}: ${problem}`, result }
        : { kind: 'unchanged', result: { ...result, msg: `${problem}, not transferring, ignored` } };
    }
    const localPath = destination(given, context);
    if (typeof localPath !== 'string') return { kind: 'failed', message: localPath.failed };
    const kind = context.controller.type(localPath);
    if (kind === 'directory') {
      return { kind: 'failed', message: `dest is an existing directory (${localPath}); end it with a slash` };
    }
    const current = kind === 'file' ? context.controller.content(localPath) : undefined;
    const result = { dest: localPath, checksum: source.checksum, file: given.src };
    if (current && sha1(current) === source.checksum) return { kind: 'unchanged', result };
    return {
      kind: 'change',
      diffs: [
        {
          subject: localPath,
          before: current ? `sha1: ${sha1(current)}\n` : 'state: absent\n',
          after: `sha1: ${source.checksum}\n`,
        },
      ],
      steps: [
        {
          kind: 'fetch',
          path: given.src,
          localPath,
          sha1: given.validate_checksum ? source.checksum : undefined,
        },
      ],
      result: { ...result, remote_checksum: source.checksum },
    };
  },
});

/** Where the file goes. A name from a host must not lead out of the directory that is the host's. */
function destination(given: FetchArgs, context: PlanContext): string | { readonly failed: string } {
  const dest = context.controller.resolve(given.dest);
  if (given.flat) return given.dest.endsWith('/') ? posix.join(dest, posix.basename(given.src)) : dest;
  const own = posix.join(dest, context.host);
  const full = resolve(own, `./${given.src}`);
  return full.startsWith(`${own}/`) && isAbsolute(full)
    ? full
    : { failed: `${given.src} would be written outside of ${own}` };
}
