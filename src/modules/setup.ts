import { query } from '../facts/fact.ts';
import { setup as setupFact } from '../facts/setup.ts';
import { args, count, list, path, str } from './arguments.ts';
import { defineModule } from './define.ts';
import { shellPattern } from './shell-pattern.ts';

const setupArgs = args({
  gather_subset: list(str).default(['all']),
  filter: list(str).default([]),
  fact_path: path.default('/etc/ansible/facts.d'),
  gather_timeout: count.default(10),
  parallel: str.optional(),
});

/** The facts of a host. All are read in a tenth of a second, so `gather_subset` leaves nothing out. */
export const setup = defineModule({
  name: 'ansible.builtin.setup',
  summary: 'Reads the facts of a host: distribution, hardware, network, time and more.',
  args: setupArgs,
  facts: (given) => [query(setupFact, given.fact_path)],
  plan(given, facts) {
    const found = facts.get(query(setupFact, given.fact_path));
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
