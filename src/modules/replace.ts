import { args, bool, choice, fileAliases, fileArguments, path, str } from './arguments.ts';
import { attributesOf } from './attributes.ts';
import { defineModule } from './define.ts';
import { editFacts, pattern, planEdit, type Edit, type EditText } from './edit.ts';
import { pythonRegex, replacement } from './python-regex.ts';

const replaceArgs = args({
  path,
  regexp: pattern,
  replace: str.default(''),
  after: pattern.optional(),
  before: pattern.optional(),
  backup: bool.default(false),
  validate: str.optional(),
  encoding: choice('utf-8', 'utf8', 'ascii').default('utf-8'),
  ...fileArguments,
});

type ReplaceArgs = (typeof replaceArgs)['_output'];

/** Replaces every match of a pattern in a file. */
export const replace = defineModule({
  name: 'ansible.builtin.replace',
  summary: 'Replaces every match of a regular expression in a file.',
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
  const regexp = pythonRegex(given.regexp, { multiline: true, global: true });
  const expand = replacement(given.replace);
  const before = text.slice(section.start, section.end);
  let count = 0;
  let after = '';
  let from = 0;
  for (const match of before.matchAll(regexp)) {
    count++;
    after += before.slice(from, match.index) + expand(match);
    from = match.index + match[0].length;
  }
  after += before.slice(from);
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
  const regexp = pythonRegex(`${after ?? ''}${inside}${before ?? ''}`, { dotAll: true });
  const match = new RegExp(regexp.source, `${regexp.flags}d`).exec(text);
  const range = match?.indices?.groups?.['subsection'];
  return range && { start: range[0], end: range[1] };
}
