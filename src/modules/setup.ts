import { query } from '../facts/fact.ts';
import { setup as setupFact } from '../facts/setup.ts';
import { args, count, list, path, str } from './kit/arguments.ts';
import { defineModule } from './kit/define.ts';
import { shellPattern } from './parts/shell-pattern.ts';

const setupArgs = args({
  gather_subset: list(str)
    .default(['all'])
    .describe('Accepted; all facts are read, since that takes a tenth of a second.'),
  filter: list(str).default([]).describe('Only facts whose names match one of these shell patterns.'),
  fact_path: path
    .default('/etc/ansible/facts.d')
    .describe("The directory with the target's own facts (`*.fact`)."),
  gather_timeout: count.default(10).describe('Accepted, and without effect.'),
  parallel: str.optional().describe('Accepted, and without effect.'),
});

/** The facts of a host. All are read in a tenth of a second, so `gather_subset` leaves nothing out. */
export const setup = defineModule({
  name: 'ansible.builtin.setup',
  summary: 'Reads the facts of a host: distribution, hardware, network, time and more.',
  example: `
- name: Read the facts about memory again
  ansible.builtin.setup:
    filter: ansible_mem*
`,
  args: setupArgs,
  facts: (given) => [query(setupFact, given.fact_path)],
  plan(given, facts, context) {
    const read = facts.get(query(setupFact, given.fact_path));
    // A module's process would have the task's environment; what reads facts for many tasks has not.
    const found = { ...read, env: { ...(read['env'] as object), ...context.environment } };
    const patterns = given.filter.filter((pattern) => pattern !== '').map(shellPattern);
    const isWanted = (name: string): boolean =>
      patterns.length === 0 ||
      patterns.some((pattern) => pattern.test(name) || pattern.test(`ansible_${name}`));
    return {
      kind: 'unchanged',
      result: {
        ansible_facts: Object.fromEntries(
          Object.entries({ ...found, gather_subset: given.gather_subset, module_setup: true })
            .filter(([name]) => isWanted(name))
            .map(([name, value]) => [
              name === 'module_setup' || name === 'gather_subset' ? name : `ansible_${name}`,
              value,
            ]),
        ),
      },
    };
  },
});
