import {
  args,
  bool,
  choice,
  fileAliases,
  fileArguments,
  list,
  only,
  path,
  filled,
  str,
  unsupported,
} from './kit/arguments.ts';
import { attributesOf } from './parts/attributes.ts';
import { placedAt } from './parts/file-plan.ts';
import { defineModule } from './kit/define.ts';
import { editFacts, planEdit, readLines, trimBlanks, type Edit } from './parts/edit.ts';
import { toBytesText } from '../lib/python-regex.ts';

const iniArgs = args(
  {
    path: path.describe('The file to edit.'),
    section: filled.optional().describe('The section; without it, what stands before the first one.'),
    option: filled.optional().describe('The option; without it, the whole section is meant.'),
    value: str.optional().describe("The option's value."),
    values: list(str).optional().describe('Several values, for an option that stands more than once.'),
    state: choice('absent', 'present')
      .default('present')
      .describe('Whether the option or section shall be there.'),
    exclusive: bool
      .default(true)
      .describe(
        'The given values are all that the option has; `no` adds to those it has and removes only the given ones.',
      ),
    no_extra_spaces: bool.default(false).describe('Write `option=value` without blanks.'),
    ignore_spaces: bool
      .default(false)
      .describe('Leave a line alone that differs only in blanks around the `=`.'),
    allow_no_value: bool.default(false).describe('The option may stand alone, without `=`.'),
    modify_inactive_option: bool
      .default(true)
      .describe('Take the place of a line where the option is commented out.'),
    create: bool.default(true).describe('Create the file if it does not exist.'),
    backup: bool.default(false).describe('Keep a copy of the file as it was, with the time in its name.'),
    follow: only(true, 'links are followed').describe('Symbolic links are followed.'),
    section_has_values: unsupported('name the section alone'),
    ...fileArguments,
  },
  { exclusive: [['value', 'values']] },
).superRefine((given, context) => {
  const isPresent = given.state === 'present' && given.option !== undefined;
  if (isPresent && given.value === undefined && given.values === undefined && !given.allow_no_value) {
    context.addIssue({
      code: 'custom',
      message: 'one of value, values is required, or allow_no_value: true',
    });
  }
});

type IniArgs = (typeof iniArgs)['_output'];

/** Options in files of sections. */
export const iniFile = defineModule({
  name: 'community.general.ini_file',
  summary: 'Sets and removes options of INI files.',
  example: `
- name: Set an option
  community.general.ini_file:
    path: /etc/some.ini
    section: server
    option: port
    value: '8080'
`,
  args: iniArgs,
  aliases: { path: ['dest'], ...fileAliases },
  paths: ['path'],
  afterwards: placedAt('path'),
  facts: (given) => editFacts(given.path),
  plan: (given, facts) =>
    planEdit({ ...given, attributes: attributesOf(given) }, facts, (text) => edit(given, text)),
});

function edit(given: IniArgs, text: string | undefined): Edit {
  if (text === undefined && !given.create)
    return { failed: `Destination ${given.path} does not exist!`, result: { rc: 257 } };
  if (text === undefined && given.state === 'absent') return { unchanged: true, result: { msg: 'OK' } };
  const lines = readLines(text ?? '').map((line) => (line.endsWith('\n') ? line : `${line}\n`));
  const range = sectionRange(given, lines);
  const after = given.state === 'absent' ? removed(given, lines, range) : present(given, lines, range);
  const joined = after.join('');
  return {
    text: joined,
    result: { msg: joined === text ? 'OK' : given.state === 'absent' ? 'option removed' : 'option changed' },
  };
}

interface Range {
  /** The line of the heading; -1 for what stands before the first section. */
  readonly heading: number;
  readonly end: number;
}

function sectionRange(given: IniArgs, lines: readonly string[]): Range | undefined {
  const isHeading = (line: string): boolean => /^[ \t]*\[.*\]/.test(line);
  const heading =
    given.section === undefined
      ? -1
      : lines.findIndex((line) => trimBlanks(line) === toBytesText(`[${given.section}]`));
  if (heading < 0 && given.section !== undefined) return undefined;
  const next = lines.findIndex((line, index) => index > heading && isHeading(line));
  return { heading, end: next < 0 ? lines.length : next };
}

function removed(given: IniArgs, lines: readonly string[], range: Range | undefined): readonly string[] {
  if (!range) return lines;
  if (given.option === undefined) {
    return given.section === undefined ? lines : lines.toSpliced(range.heading, range.end - range.heading);
  }
  const values = wantedValues(given);
  return lines.filter((line, index) => {
    if (index <= range.heading || index >= range.end) return true;
    const found = parseOption(line);
    if (!found?.active || found.name !== toBytesText(given.option ?? '')) return true;
    return !given.exclusive && values.length > 0 && !values.includes(found.value);
  });
}

function wantedValues(given: IniArgs): (string | undefined)[] {
  if (given.values) return [...new Set(given.values)].map(toBytesText);
  if (given.value !== undefined) return [toBytesText(given.value)];
  return given.allow_no_value ? [undefined] : [];
}

interface OptionLine {
  readonly name: string;
  readonly value: string | undefined;
  /** Not commented out. */
  readonly active: boolean;
}

function parseOption(line: string): OptionLine | undefined {
  const match = /^[ \t]*([#;][ \t]*)?([^ \t\r=#;[][^=]*?)[ \t\r]*(?:=[ \t]*(.*?)[ \t\r]*)?$/.exec(
    line.replace(/\n$/, ''),
  );
  if (!match) return undefined;
  const [, comment, name = '', value] = match;
  // Prose in a comment is no option without a value.
  if (comment !== undefined && value === undefined) return undefined;
  return { name, value, active: comment === undefined };
}

function present(given: IniArgs, lines: readonly string[], range: Range | undefined): readonly string[] {
  const values = given.option === undefined ? [] : wantedValues(given);
  const option = toBytesText(given.option ?? '');
  const format = (value: string | undefined): string => {
    if (value === undefined) return `${option}\n`;
    return given.no_extra_spaces ? `${option}=${value}\n` : `${option} = ${value}\n`;
  };
  const heading = given.section === undefined ? [] : [`${toBytesText(`[${given.section}]`)}\n`];
  if (!range) return [...lines, ...heading, ...values.map(format)];
  if (given.option === undefined) return lines;
  const inside = lines.slice(range.heading + 1, range.end);
  const result: (string | undefined)[] = [...inside];
  const missing = new Set(values);
  // Lines that are right stay where they are; then lines that are not are used for what is missing.
  inside.forEach((line, index) => {
    const found = parseOption(line);
    if (!found?.active || found.name !== option || !missing.has(found.value)) return;
    missing.delete(found.value);
    const isSame = given.ignore_spaces || line === format(found.value);
    result[index] = isSame ? line : format(found.value);
  });
  const isDone = (index: number): boolean => {
    const found = parseOption(result[index] ?? '');
    return found?.active === true && values.includes(found.value);
  };
  for (const active of [true, false]) {
    if (!active && !given.modify_inactive_option) continue;
    if (active && !given.exclusive) continue;
    inside.forEach((line, index) => {
      const found = parseOption(line);
      if (found?.name !== option || found.active !== active || isDone(index)) return;
      const next = missing.values().next();
      if (next.done !== true) {
        missing.delete(next.value);
        result[index] = format(next.value);
      } else if (active && given.exclusive) {
        result[index] = undefined;
      }
    });
  }
  const kept = result.filter((line) => line !== undefined);
  let at = kept.length;
  while (at > 0 && trimBlanks(kept[at - 1] ?? '-') === '') at--;
  kept.splice(at, 0, ...[...missing].map(format));
  return [...lines.slice(0, range.heading + 1), ...kept, ...lines.slice(range.end)];
}
