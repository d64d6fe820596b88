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
import { chomp, editFacts, pattern, planEdit, readLines, type Edit, type EditText } from './parts/edit.ts';
import { pythonRegex, replacement, toBytesText } from '../lib/python-regex.ts';

const lineArgs = args(
  {
    path: path.describe('The file to edit.'),
    state: choice('absent', 'present').default('present').describe('Whether the line shall be there.'),
    regexp: pattern
      .optional()
      .describe('The last line that matches is replaced; with `absent`, every one is removed.'),
    search_string: str.optional().describe('The same as `regexp`, as plain text that the line contains.'),
    line: str.optional().describe('The line.'),
    insertafter: pattern
      .optional()
      .describe('Where no line matched, the new one goes after the last match of this; `EOF` is the end.'),
    insertbefore: pattern
      .optional()
      .describe(
        'Where no line matched, the new one goes before the last match of this; `BOF` is the beginning.',
      ),
    backrefs: bool
      .default(false)
      .describe('Groups of `regexp` may be used in `line`, and nothing is added where nothing matches.'),
    create: bool.default(false).describe('Create the file if it does not exist.'),
    backup: bool.default(false).describe('Keep a copy of the file as it was, with the time in its name.'),
    firstmatch: bool.default(false).describe('The first match counts everywhere, not the last.'),
    validate: validateArgument,
    ...fileArguments,
  },
  {
    exclusive: [
      ['insertbefore', 'insertafter'],
      ['regexp', 'search_string'],
    ],
  },
).superRefine((given, context) => {
  const problem = (message: string): void => context.addIssue({ code: 'custom', message });
  if (given.state === 'present') {
    if (given.line === undefined) problem('line: is required with state: present');
    if (given.backrefs && given.regexp === undefined) problem('regexp: is required with backrefs: true');
  } else if (given.regexp === undefined && given.search_string === undefined && given.line === undefined) {
    problem('one of line, search_string, regexp is required with state: absent');
  }
  if (given.backrefs && given.search_string !== undefined) {
    problem('backrefs and search_string exclude each other; give one of them');
  }
});

type LineArgs = (typeof lineArgs)['_output'];

/** Ensures that a line is in a file, or that lines are not. */
export const lineinfile = defineModule({
  name: 'ansible.builtin.lineinfile',
  summary: 'Ensures that a particular line is in a file, or replaces or removes it.',
  example: `
- name: Turn on forwarding
  ansible.builtin.lineinfile:
    path: /etc/some.conf
    regexp: ^#?forward=
    line: forward=yes
`,
  args: lineArgs,
  aliases: {
    path: ['dest', 'destfile', 'name'],
    regexp: ['regex'],
    line: ['value'],
    ...fileAliases,
  },
  paths: ['path'],
  facts: (given) => editFacts(given.path),
  plan: (given, facts) =>
    planEdit({ ...given, attributes: attributesOf(given) }, facts, (text) =>
      given.state === 'present' ? present(given, text) : absent(given, text),
    ),
});

/** What a line must contain to be the one that is meant; undefined when neither pattern nor text was given. */
function matcher(given: LineArgs): ((line: string) => RegExpMatchArray | true | undefined) | undefined {
  if (given.regexp !== undefined) {
    const regexp = pythonRegex(given.regexp, { bytes: true });
    return (line) => regexp.search(line) ?? undefined;
  }
  if (given.search_string !== undefined) {
    const wanted = toBytesText(given.search_string);
    return (line) => (line.includes(wanted) ? true : undefined);
  }
  return undefined;
}

/** The text with the line in it, by the rules of Ansible's lineinfile, which are subtle. */
function present(given: LineArgs, text: EditText): Edit {
  if (text === undefined && !given.create) {
    return { failed: `Destination ${given.path} does not exist !`, result: { rc: 257 } };
  }
  const lines = readLines(text ?? '');
  const line = toBytesText(given.line ?? '');
  const found = findLine(given, lines, line);
  if (found.at !== undefined && (found.match !== undefined || found.exact)) {
    const current = found.at;
    const expanded =
      given.backrefs && given.regexp !== undefined && typeof found.match === 'object'
        ? replacement(line, pythonRegex(given.regexp, { bytes: true }))(found.match)
        : line;
    const wanted = expanded.endsWith('\n') ? expanded : `${expanded}\n`;
    if (lines[current] === wanted) return done(lines, '');
    return done(lines.with(current, wanted), 'line replaced');
  }
  if (given.backrefs) return done(lines, '');
  const added = `${line}\n`;
  if (given.insertbefore === 'BOF' || given.insertafter === 'BOF')
    return done([added, ...lines], 'line added');
  if (found.insertAt === undefined || (given.insertbefore === undefined && isEnd(given.insertafter))) {
    const separated = lines.length > 0 && !/[\n\r]$/.test(lines.at(-1) ?? '') ? [...lines, '\n'] : lines;
    return done([...separated, added], 'line added');
  }
  const at = found.insertAt;
  if (given.insertbefore === undefined) {
    const neighbour = at === lines.length ? lines[at - 1] : lines[at];
    if (chomp(neighbour ?? '') === line) return done(lines, '');
    if (at === lines.length && !/[\n\r]$/.test(lines.at(-1) ?? '')) {
      return done([...lines.slice(0, -1), `${lines.at(-1) ?? ''}\n`, added], 'line added');
    }
  }
  return done(lines.toSpliced(at, 0, added), 'line added');
}

function isEnd(insertafter: string | undefined): boolean {
  return insertafter === undefined || insertafter === 'EOF';
}

function findLine(given: LineArgs, lines: readonly string[], line: string) {
  const matches = matcher(given);
  let at: number | undefined;
  let match: RegExpMatchArray | true | undefined;
  if (matches) {
    for (const [index, current] of lines.entries()) {
      const hit = matches(current);
      if (hit === undefined) continue;
      at = index;
      match = hit;
      if (given.firstmatch) break;
    }
  }
  if (match !== undefined) return { at, match, exact: false, insertAt: undefined };
  const { insertafter, insertbefore } = given;
  const anchor =
    insertafter !== undefined && insertafter !== 'BOF' && insertafter !== 'EOF'
      ? pythonRegex(insertafter, { bytes: true })
      : insertbefore !== undefined && insertbefore !== 'BOF'
        ? pythonRegex(insertbefore, { bytes: true })
        : undefined;
  let exact = false;
  let insertAt: number | undefined;
  for (const [index, current] of lines.entries()) {
    if (chomp(current) === line) {
      at = index;
      exact = true;
    } else if (anchor?.search(current)) {
      insertAt = insertafter === undefined ? index : index + 1;
      if (given.firstmatch) break;
    }
  }
  return { at, match, exact, insertAt };
}

function absent(given: LineArgs, text: EditText): Edit {
  if (text === undefined) return { unchanged: true, result: { msg: 'file not present', found: 0 } };
  const matches = matcher(given);
  const line = toBytesText(given.line ?? '');
  const lines = readLines(text);
  const kept = lines.filter((current) =>
    matches ? matches(current) === undefined : chomp(current) !== line,
  );
  const found = lines.length - kept.length;
  return {
    text: kept.join(''),
    result: { found, msg: found > 0 ? `${found} line(s) removed` : '', backup: '' },
  };
}

function done(lines: readonly string[], msg: string): Edit {
  return { text: lines.join(''), result: { msg, backup: '' } };
}
