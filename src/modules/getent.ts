import { query } from '../facts/fact.ts';
import { getent as getentFact } from '../facts/getent.ts';
import { args, bool, str } from './kit/arguments.ts';
import { defineModule } from './kit/define.ts';

const getentArgs = args({
  database: str.describe('The database, such as `passwd`; the entries become the fact `getent_DATABASE`.'),
  key: str.optional().describe('One entry; all of them without it.'),
  service: str.optional().describe('Ask this service of the name switch only, such as `files`.'),
  split: str.optional().describe('What separates the fields, where it is not what the database usually has.'),
  fail_key: bool.default(true).describe('Fail when the entry does not exist.'),
});

type GetentArgs = (typeof getentArgs)['_output'];

const keyOf = ({ database, key, service }: GetentArgs) => query(getentFact, { database, key, service });

/** Entries of a name service database, as the fact `getent_DATABASE`. */
export const getent = defineModule({
  name: 'ansible.builtin.getent',
  summary: 'Reads entries of passwd, group, hosts and other databases.',
  example: `
- name: Look up a user
  ansible.builtin.getent:
    database: passwd
    key: www-data
`,
  args: getentArgs,
  facts: (given) => [keyOf(given)],
  plan(given, facts) {
    const { status, lines } = facts.get(keyOf(given));
    const name = `getent_${given.database}`;
    if (status === 2 && !given.fail_key) {
      return {
        kind: 'unchanged',
        result: {
          ansible_facts: { [name]: { [given.key ?? '']: null } },
          msg: 'One or more supplied key could not be found in the database.',
        },
      };
    }
    const messages: Readonly<Record<number, string>> = {
      1: 'Missing arguments, or database unknown.',
      2: 'One or more supplied key could not be found in the database.',
      3: 'Enumeration not supported on this database.',
    };
    if (status !== 0) {
      return { kind: 'failed', message: messages[status] ?? `getent failed with status ${status}` };
    }
    const colon = ['passwd', 'shadow', 'group', 'gshadow'].includes(given.database);
    const separator = given.split ?? (colon ? ':' : /\s+/);
    const entries: Record<string, string[]> = {};
    for (const line of lines) {
      const [key = '', ...rest] = line.split(separator);
      if (key !== '') entries[key] = rest;
    }
    return { kind: 'unchanged', result: { ansible_facts: { [name]: entries } } };
  },
});
