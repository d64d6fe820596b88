import { posix } from 'node:path';

import { content } from '../facts/content.ts';
import { directory } from '../facts/directory.ts';
import { query, type FactReader } from '../facts/fact.ts';
import type { Plan, PlanContext } from '../steps/plan.ts';
import { args, bool, fileAliases, fileArguments, path, str, validateArgument } from './kit/arguments.ts';
import { attributesOf } from './parts/attributes.ts';
import { defineModule } from './kit/define.ts';
import { pattern } from './parts/edit.ts';
import { digestQuery, fileResult, fileWork, md5, placedAt, sha1, workPlan } from './parts/file-plan.ts';
import { pythonRegex, toBytesText } from '../lib/python-regex.ts';

const assembleArgs = args({
  src: path.describe('The directory with the fragments, which are joined in the order of their names.'),
  dest: path.describe('The file to write on the target.'),
  delimiter: str.optional().describe('Text between two fragments; `\\n` in it is a new line.'),
  remote_src: bool
    .default(true)
    .describe('Whether the fragments are on the target; `no` takes them from the controller.'),
  regexp: pattern.optional().describe('Only fragments whose names match this regular expression.'),
  ignore_hidden: bool.default(false).describe('Leave out fragments whose names begin with a dot.'),
  backup: bool.default(false).describe('Keep a copy of the file as it was, with the time in its name.'),
  validate: validateArgument,
  decrypt: bool
    .default(true)
    .describe('Accepted; files that Ansible Vault encrypted are opened in any case.'),
  ...fileArguments,
});

type AssembleArgs = (typeof assembleArgs)['_output'];

/** Puts the files of a directory together to one. */
export const assemble = defineModule({
  name: 'ansible.builtin.assemble',
  summary: 'Makes one file of the files of a directory, in the order of their names.',
  example: `
- name: Join the fragments of the configuration
  ansible.builtin.assemble:
    src: /etc/some.conf.d
    dest: /etc/some.conf
    mode: '0644'
`,
  args: assembleArgs,
  aliases: fileAliases,
  paths: ['dest'],
  afterwards: placedAt('dest'),
  facts: (given) => [
    digestQuery(given.dest, true),
    ...(given.remote_src ? [query(directory, { path: given.src, depth: 1, follow: true })] : []),
  ],
  plan(given, facts, context): Plan {
    const fragments = given.remote_src ? remoteFragments(given, facts) : localFragments(given, context);
    if ('need' in fragments) return { kind: 'need', facts: fragments.need };
    if ('failed' in fragments) return { kind: 'failed', message: fragments.failed };
    const bytes = join(fragments.contents, given.delimiter);
    const current = facts.get(digestQuery(given.dest, true));
    const attributes = attributesOf(given);
    const work = fileWork(
      { ...given, path: given.dest, content: bytes, attributes },
      current,
      facts,
      context,
    );
    return workPlan(work, {
      dest: given.dest,
      src: given.src,
      checksum: sha1(bytes),
      md5sum: md5(bytes),
      msg: 'OK',
      ...fileResult(current, attributes, bytes.length),
    });
  },
});

type Fragments =
  | { readonly contents: readonly Buffer[] }
  | { readonly need: readonly ReturnType<typeof query>[] }
  | { readonly failed: string };

function isWanted(given: AssembleArgs, name: string): boolean {
  if (given.ignore_hidden && name.startsWith('.')) return false;
  return (
    given.regexp === undefined ||
    pythonRegex(given.regexp, { bytes: true }).search(toBytesText(name)) !== null
  );
}

function remoteFragments(given: AssembleArgs, facts: FactReader): Fragments {
  const listing = facts.get(query(directory, { path: given.src, depth: 1, follow: true }));
  if (!listing.exists) return { failed: `Source (${given.src}) is not a directory` };
  const reads = listing.entries
    .filter((entry) => entry.type === 'file' && isWanted(given, entry.path))
    .map((entry) => query(content, posix.join(given.src, entry.path)));
  const need = reads.filter((item) => !facts.has(item));
  if (need.length > 0) return { need };
  const contents: Buffer[] = [];
  for (const item of reads) {
    const found = facts.get(item);
    if (found.kind !== 'file') return { failed: `${String(item.key)} is ${found.kind}` };
    contents.push(found.bytes);
  }
  return { contents };
}

function localFragments(given: AssembleArgs, context: PlanContext): Fragments {
  const source = context.controller.find(given.src, 'files');
  const contents = context.controller
    .list(source)
    .filter((entry) => entry.type === 'file' && !entry.path.includes('/') && isWanted(given, entry.path))
    .map((entry) => context.controller.read(posix.join(source, entry.path)));
  return { contents };
}

function join(contents: readonly Buffer[], delimiter: string | undefined): Buffer {
  const parts: Buffer[] = [];
  const newline = Buffer.from('\n');
  // The delimiter may hold escapes such as \n, as Ansible allows.
  const text = delimiter?.replaceAll('\\n', '\n').replaceAll('\\t', '\t');
  contents.forEach((bytes, index) => {
    const previous = contents[index - 1];
    if (previous && previous.at(-1) !== 0x0a) parts.push(newline);
    if (index > 0 && text !== undefined && text !== '') {
      parts.push(Buffer.from(text));
      if (!text.endsWith('\n')) parts.push(newline);
    }
    parts.push(bytes);
  });
  return Buffer.concat(parts);
}
