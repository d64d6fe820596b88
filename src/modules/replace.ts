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
import { editFacts, pattern, planEdit, type Edit, type EditText } from './parts/edit.ts';
import { pythonRegex, substitute, toBytesText } from '../lib/python-regex.ts';

const replaceArgs = args({
  path: path.describe('The file to edit.'),
  regexp: pattern.describe('A regular expression; `^` and `$` match at every line.'),
  replace: str
    .default('')
    .describe('What takes the place of every match, with `\\1` for groups; without it matches are deleted.'),
  after: pattern.optional().describe('Only what stands after the first match of this.'),
  before: pattern.optional().describe('Only what stands before the first match of this.'),
  backup: bool.default(false).describe('Keep a copy of the file as it was, with the time in its name.'),
  validate: validateArgument,
  encoding: choice('utf-8', 'utf8', 'ascii')
    .default('utf-8')
    .describe('Accepted; files are read as bytes, and patterns are UTF-8.'),
  ...fileArguments,
});

type ReplaceArgs = (typeof replaceArgs)['_output'];

/** Replaces every match of a pattern in a file. */
export const replace = defineModule({
  name: 'ansible.builtin.replace',
  summary: 'Replaces every match of a regular expression in a file.',
  example: `
- name: Use the new name
  ansible.builtin.replace:
    path: /etc/some.conf
    regexp: \\bold\\.example\\.org\\b
    replace: new.example.org
`,
  args: replaceArgs,
  aliases: { path: ['dest', 'destfile', 'name'], ...fileAliases },
  paths: ['path'],
  facts: (given) => editFacts(given.path),
  plan: (given, facts) =>
    planEdit({ ...given, attributes: attributesOf(given) }, facts, (text) => edit(given, text)),
});

function edit(given: ReplaceArgs, text: EditText): Edit {
  if (text === undefined) return { failed: `Path ${given.path} does not exist !`, result: { rc: 257 } };
  const section = sectionOf(given, text);
  if (!section) {
    const source = [given.after, '…', given.before].filter(Boolean).join('');
    return {
      unchanged: true,
      result: { rc: 0, msg: `Pattern for before/after params did not match the given file: ${source}` },
    };
  }
  const regexp = pythonRegex(given.regexp, { multiline: true, bytes: true });
  const before = text.slice(section.start, section.end);
  const { result: after, count } = substitute(regexp, before, toBytesText(given.replace));
  const changed = after !== before;
  return {
    text: text.slice(0, section.start) + after + text.slice(section.end),
    result: { rc: 0, msg: changed ? `${count} replacements made` : '' },
  };
}

/** The part of the text between what `after` and `before` match. */
function sectionOf(given: ReplaceArgs, text: string): { start: number; end: number } | undefined {
  const { after, before } = given;
  if (after === undefined && before === undefined) return { start: 0, end: text.length };
  const inside =
    before === undefined
      ? '(?P<subsection>.*)'
      : after === undefined
        ? '(?P<subsection>.*)'
        : '(?P<subsection>.*?)';
  const regexp = pythonRegex(`${after ?? ''}${inside}${before ?? ''}`, {
    dotAll: true,
    bytes: true,
  });
  const match = new RegExp(regexp.source, `${regexp.flags}d`).exec(text);
  const range = match?.indices?.[regexp.names.get('subsection') ?? 0];
  return range && { start: range[0], end: range[1] };
}
