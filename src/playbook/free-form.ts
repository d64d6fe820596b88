import { readAssignment, splitAssignments } from '../lib/assignments.ts';
import type { Dict, Value } from '../lib/value.ts';
import type { Text } from './ast.ts';

/** Actions that take a command line: of its words only the options below are arguments of their own. */
const COMMANDS = [
  'command',
  'raw',
  'script',
  'shell',
  'win_command',
  'win_shell',
  'ansible.windows.win_command',
  'ansible.windows.win_shell',
];

/** `warn` is of old; Ansible still takes it out, and its modules then refuse it. */
const COMMAND_OPTIONS = [
  'chdir',
  'creates',
  'executable',
  'removes',
  'stdin',
  'stdin_add_newline',
  'strip_empty_ends',
  'warn',
];

/** Actions that have a use for words which are not `key=value`: a command line, a file, what `meta` is to do. */
const WITH_TEXT = [
  ...COMMANDS,
  'import_playbook',
  'import_tasks',
  'include',
  'include_tasks',
  'include_vars',
  'meta',
];

/** Free-form text taken apart. */
export interface FreeForm {
  /** Its `key=value` words. The values are text, and not rendered yet. */
  readonly options: Dict;
  /** The other words, spelt as they were; undefined when there are none. */
  readonly text: string | undefined;
}

/** Whether an action, named without a namespace, has a use for words that are not `key=value`. */
export function takesText(action: string): boolean {
  return WITH_TEXT.includes(action);
}

/**
 * Takes the text after an action's name apart, as Ansible does: before anything is rendered, with regard to quotes
 * and to the braces of Jinja. Of a command's words only the options that every command has are taken out.
 */
export function parseFreeForm(text: Text, action: string): FreeForm {
  const isCommand = COMMANDS.includes(action);
  const options = new Map<Value, Value>();
  const others: string[] = [];
  for (const written of splitAssignments(text)) {
    const word = readAssignment(written, text);
    if (word.kind === 'other') others.push(word.text);
    // A tab does not separate words, and what begins with one is no option of a command.
    else if (isCommand && (/^\s/.test(written) || !COMMAND_OPTIONS.includes(word.key))) others.push(written);
    else options.set(word.key, word.value);
  }
  return { options, text: others.length === 0 ? undefined : joinWords(others) };
}

/** The name of a module and what follows it, as `action: copy src=a` has them in one text. */
export function splitActionName(text: Text): { readonly name: string; readonly rest: string } {
  const [name = '', ...words] = splitAssignments(text);
  return { name: name.trim(), rest: words.join(' ') };
}

/** Puts words together again; further blanks and the ends of lines are in the words. */
function joinWords(words: readonly string[]): string {
  return words.reduce(
    (joined, word) => joined + (joined === '' || joined.endsWith('\n') ? word : ` ${word}`),
    '',
  );
}
