import { query } from '../facts/fact.ts';
import { group as groupFact } from '../facts/group.ts';
import { command } from '../lib/shell.ts';
import type { Plan } from '../steps/plan.ts';
import { args, bool, choice, int, str } from './kit/arguments.ts';
import { defineModule } from './kit/define.ts';

const groupArgs = args({
  name: str.describe('The name of the group.'),
  state: choice('absent', 'present').default('present').describe('Whether the group shall exist.'),
  gid: int.optional().describe('Its number.'),
  system: bool.default(false).describe('Take the number of a new group from the range of the system.'),
  local: bool
    .default(false)
    .describe("Accepted, and without effect: groupadd and its kin work on the target's own files."),
  non_unique: bool.default(false).describe('Let the number be that of another group.'),
  force: bool.default(false).describe("Remove the group even if it is some user's primary group."),
  gid_min: int.optional().describe('The lowest number that a new group may get.'),
  gid_max: int.optional().describe('The highest number that a new group may get.'),
});

/** Groups of the target. */
export const group = defineModule({
  name: 'ansible.builtin.group',
  summary: 'Creates, changes and removes groups.',
  example: `
- name: Have the group
  ansible.builtin.group:
    name: app
    system: true
`,
  args: groupArgs,
  afterwards: (result) => {
    const read = query(groupFact, String(result['name']));
    return {
      read,
      result(facts) {
        const found = facts.get(read);
        return found ? { gid: found.gid } : {};
      },
    };
  },
  facts: (given) => [query(groupFact, given.name)],
  plan(given, facts): Plan {
    const found = facts.get(query(groupFact, given.name));
    const subject = `group ${given.name}`;
    const result = { name: given.name, state: given.state, system: given.system };
    const change = (description: string, words: readonly string[], before: string, after: string): Plan => ({
      kind: 'change',
      diffs: [{ subject, before, after }],
      steps: [{ kind: 'script', description, script: command(words) }],
      result: { ...result, ...(given.gid === undefined ? {} : { gid: given.gid }) },
    });
    const gid = given.gid === undefined ? [] : ['-g', String(given.gid), ...(given.non_unique ? ['-o'] : [])];
    if (given.state === 'absent') {
      if (!found) return { kind: 'unchanged', result };
      return change(
        `remove ${subject}`,
        ['groupdel', ...(given.force ? ['-f'] : []), given.name],
        `gid: ${found.gid}\n`,
        '',
      );
    }
    if (!found) {
      return change(
        `create ${subject}`,
        [
          'groupadd',
          ...gid,
          ...(given.gid_min === undefined ? [] : ['-K', `GID_MIN=${given.gid_min}`]),
          ...(given.gid_max === undefined ? [] : ['-K', `GID_MAX=${given.gid_max}`]),
          ...(given.system ? ['-r'] : []),
          given.name,
        ],
        '',
        `gid: ${given.gid ?? '(next free)'}\n`,
      );
    }
    if (given.gid === undefined || given.gid === found.gid) {
      return { kind: 'unchanged', result: { ...result, gid: found.gid } };
    }
    return change(
      `change ${subject}`,
      ['groupmod', ...gid, given.name],
      `gid: ${found.gid}\n`,
      `gid: ${given.gid}\n`,
    );
  },
});
