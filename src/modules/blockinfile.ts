import {
  args,
  bool,
  choice,
  fileAliases,
  fileArguments,
  path,
  str,
  validateArgument,
} from './kit/arguments.ts';
import { attributesOf } from './parts/attributes.ts';
import { defineModule } from './kit/define.ts';
import { editFacts, pattern, planEdit, readLines, type Edit, type EditText } from './parts/edit.ts';
import { pythonRegex, toBytesText } from '../lib/python-regex.ts';

const blockArgs = args(
  {
    path: path.describe('The file to edit.'),
    state: choice('absent', 'present').default('present').describe('Whether the block shall be there.'),
    block: str.default('').describe('The lines between the markers; an empty block is removed.'),
    marker: str
      .default('# {mark} ANSIBLE MANAGED BLOCK')
      .describe('The line that marks the block; `{mark}` in it becomes `marker_begin` or `marker_end`.'),
    marker_begin: str.default('BEGIN').describe('What `{mark}` is before the block.'),
    marker_end: str.default('END').describe('What `{mark}` is after the block.'),
    insertafter: pattern
      .optional()
      .describe(
        'A new block goes after the last line that matches this regular expression; `EOF` is the end.',
      ),
    insertbefore: pattern
      .optional()
      .describe(
        'A new block goes before the last line that matches this regular expression; `BOF` is the beginning.',
      ),
    append_newline: bool.default(false).describe('Have an empty line after the block.'),
    prepend_newline: bool.default(false).describe('Have an empty line before the block.'),
    create: bool.default(false).describe('Create the file if it does not exist.'),
    backup: bool.default(false).describe('Keep a copy of the file as it was, with the time in its name.'),
    validate: validateArgument,
    ...fileArguments,
  },
  { exclusive: [['insertbefore', 'insertafter']] },
);

type BlockArgs = (typeof blockArgs)['_output'];

/** Keeps a block of lines between two markers. */
export const blockinfile = defineModule({
  name: 'ansible.builtin.blockinfile',
  summary: 'Inserts, updates or removes a block of lines between markers.',
  example: `
- name: Name the servers
  ansible.builtin.blockinfile:
    path: /etc/hosts
    block: |
      10.0.0.21 web1
      10.0.0.22 web2
`,
  args: blockArgs,
  aliases: { path: ['dest', 'destfile', 'name'], block: ['content'], ...fileAliases },
  paths: ['path'],
  facts: (given) => editFacts(given.path),
  plan: (given, facts) =>
    planEdit({ ...given, attributes: attributesOf(given) }, facts, (text) => editBlock(given, text)),
});

function editBlock(given: BlockArgs, text: EditText): Edit {
  const isPresent = given.state === 'present';
  if (text === undefined && !isPresent)
    return { unchanged: true, result: { msg: `File ${given.path} not present` } };
  if (text === undefined && !given.create) {
    return { failed: `Path ${given.path} does not exist !`, result: { rc: 257 } };
  }
  const marker = (mark: string): string => `${toBytesText(given.marker.replaceAll('{mark}', () => mark))}\n`;
  const [begin, end] = [marker(given.marker_begin), marker(given.marker_end)];
  const block = toBytesText(given.block);
  const wanted =
    isPresent && block !== '' ? [begin, ...readLines(block.endsWith('\n') ? block : `${block}\n`), end] : [];
  const lines = readLines(text ?? '');
  const first = lines.lastIndexOf(begin);
  // The last line of a file may lack its newline and be the marker all the same.
  const last = lines.findLastIndex((line) => line === end || (`${line}\n` === end && line === lines.at(-1)));
  let at: number;
  if (first >= 0 && last >= 0) {
    at = Math.min(first, last);
    lines.splice(at, Math.abs(last - first) + 1);
  } else {
    at = insertionPoint(given, lines, text ?? '');
  }
  if (at > 0 && !lines[at - 1]?.endsWith('\n') && wanted.length > 0) lines[at - 1] += '\n';
  if (wanted.length > 0) {
    if (given.prepend_newline && at > 0 && lines[at - 1] !== '\n') wanted.unshift('\n');
    if (given.append_newline && at < lines.length && lines[at] !== '\n') wanted.push('\n');
  }
  lines.splice(at, 0, ...wanted);
  const after = lines.join('');
  const msg =
    after === text
      ? ''
      : text === undefined
        ? 'File created'
        : wanted.length === 0
          ? 'Block removed'
          : 'Block inserted';
  return { text: after, result: { msg } };
}

function insertionPoint(given: BlockArgs, lines: readonly string[], text: string): number {
  const { insertafter, insertbefore } = given;
  if (insertbefore === 'BOF') return 0;
  const source = insertafter ?? insertbefore;
  if (source === undefined || insertafter === 'EOF') return lines.length;
  const regexp = pythonRegex(source, { bytes: true });
  if (/^\(\?[a-z]*m/.test(source)) {
    const match = regexp.search(text);
    if (!match) return lines.length;
    const count = (end: number): number => text.slice(0, end).split('\n').length - 1;
    return insertafter === undefined ? count(match.index) : count(match.index + match[0].length) + 1;
  }
  const found = lines.findLastIndex((line) => regexp.search(line) !== null);
  if (found < 0) return lines.length;
  return insertafter === undefined ? found : found + 1;
}
