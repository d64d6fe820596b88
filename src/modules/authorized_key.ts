import { posix } from 'node:path';

import { account } from '../facts/account.ts';
import { query, type FactQuery } from '../facts/fact.ts';
import { file as fileFact } from '../facts/file.ts';
import { quote } from '../lib/shell.ts';
import type { Plan } from '../steps/plan.ts';
import { args, bool, choice, path, str } from './kit/arguments.ts';
import { parseAuthorizedKey, type AuthorizedKey } from './parts/authorized-key-line.ts';
import { defineModule } from './kit/define.ts';
import { editFacts, planEdit, readLines, trimBlanks } from './parts/edit.ts';
import { toBytesText } from '../lib/python-regex.ts';

const keyArgs = args({
  user: str.describe('The user who shall be able to log in.'),
  key: str
    .refine((value) => !/^https?:/.test(value), { error: 'expected the key itself, not an address' })
    .describe('One or more public keys, one a line.'),
  path: path.optional().describe('The file, when it is not `~/.ssh/authorized_keys` of the user.'),
  state: choice('absent', 'present').default('present').describe('Whether the keys shall be there.'),
  manage_dir: bool
    .default(true)
    .describe('Create the directory of the file and give it to the user, with mode 0700.'),
  key_options: str.optional().describe('Options before the key, such as `from="10.0.0.0/8"`.'),
  exclusive: bool.default(false).describe('Remove all other keys from the file.'),
  comment: str.optional().describe('The comment after the key, instead of its own.'),
  follow: bool.default(false).describe('Whether to follow the file where it is a symbolic link.'),
  validate_certs: bool
    .default(true)
    .describe('Accepted, and without effect: it is for keys that are fetched from an address.'),
});

/** Keys that may log in as a user. */
export const authorizedKey = defineModule({
  name: 'ansible.posix.authorized_key',
  summary: 'Adds and removes SSH keys that may log in as a user.',
  example: `
- name: Let Ada log in
  ansible.posix.authorized_key:
    user: ada
    key: "{{ lookup('file', 'ada.pub') }}"
`,
  args: keyArgs,
  facts: (given) => [query(account, given.user)],
  plan(given, facts): Plan {
    const user = facts.get(query(account, given.user));
    if (!user) return { kind: 'failed', message: `Failed to lookup user ${given.user}` };
    const file = given.path ?? posix.join(user.home, '.ssh', 'authorized_keys');
    const directory = posix.dirname(file);
    const directoryQuery = query(fileFact, { path: directory, follow: true });
    const need: FactQuery[] = [...editFacts(file), directoryQuery].filter((item) => !facts.has(item));
    if (need.length > 0) return { kind: 'need', facts: need };
    const wished = given.key
      .split('\n')
      .map((line) => trimBlanks(line))
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => parseAuthorizedKey(line));
    const invalid = wished.indexOf(undefined);
    if (invalid >= 0 || wished.length === 0)
      return { kind: 'failed', message: `invalid key specified: ${given.key}` };
    const keys = wished.flatMap((key): AuthorizedKey[] =>
      key
        ? [{ ...key, options: given.key_options ?? key.options, comment: given.comment ?? key.comment }]
        : [],
    );
    const isNew = !facts.get(query(fileFact, { path: file, follow: true })).exists;
    const plan = planEdit(
      {
        path: file,
        attributes: given.manage_dir && isNew ? { owner: user.name, group: user.group, mode: '0600' } : {},
      },
      facts,
      (text) => ({
        text: edit(text ?? '', keys, given.state, given.exclusive),
        result: { user: given.user, keyfile: file },
      }),
    );
    if (plan.kind !== 'change' || !given.manage_dir || facts.get(directoryQuery).exists) return plan;
    const word = quote(directory);
    return {
      ...plan,
      steps: [
        {
          kind: 'script',
          description: `create ${directory}`,
          script: [
            'set -e',
            `[ -d ${word} ] || mkdir -m 0700 -- ${word}`,
            `chown -- ${quote(`${user.uid}:${user.gid}`)} ${word}`,
          ].join('\n'),
        },
        ...plan.steps.filter(
          (step) => step.kind !== 'script' || !step.description.startsWith('create directory'),
        ),
      ],
    };
  },
});

/** The file with the keys in it, or without them; lines that are no keys stay. */
function edit(
  text: string,
  keys: readonly AuthorizedKey[],
  state: 'absent' | 'present',
  exclusive: boolean,
): string {
  const same = (line: string): AuthorizedKey | undefined => {
    const found = parseAuthorizedKey(trimBlanks(line));
    return found && keys.find((key) => key.type === found.type && key.key === found.key);
  };
  const lines = readLines(text);
  if (state === 'absent') return lines.filter((line) => !same(line)).join('');
  const written = new Set<AuthorizedKey>();
  const result: string[] = [];
  for (const line of lines) {
    const key = same(line);
    if (!key) {
      const isKey = parseAuthorizedKey(trimBlanks(line)) !== undefined;
      if (!exclusive || !isKey) result.push(line);
    } else if (!written.has(key)) {
      written.add(key);
      const found = parseAuthorizedKey(trimBlanks(line));
      const isRight =
        found?.options === key.options && (key.comment === '' || found?.comment === key.comment);
      result.push(isRight ? line : format(key));
    }
  }
  if (result.length > 0 && !result.at(-1)?.endsWith('\n')) result.push('\n');
  for (const key of keys) if (!written.has(key)) result.push(format(key));
  return result.join('');
}

function format(key: AuthorizedKey): string {
  return toBytesText(
    `${[key.options, key.type, key.key, key.comment].filter((part) => part !== '').join(' ')}\n`,
  );
}
