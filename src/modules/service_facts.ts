import { commandOutput } from '../facts/command-output.ts';
import { query } from '../facts/fact.ts';
import { args } from './kit/arguments.ts';
import { defineModule } from './kit/define.ts';

const UNITS = query(commandOutput, [
  'systemctl',
  'list-units',
  '--no-pager',
  '--type',
  'service',
  '--all',
  '--plain',
  '--no-legend',
  '--full',
]);
const FILES = query(commandOutput, [
  'systemctl',
  'list-unit-files',
  '--no-pager',
  '--type',
  'service',
  '--all',
  '--no-legend',
  '--full',
]);

interface Service {
  readonly name: string;
  readonly state: string;
  readonly status: string;
  readonly source: 'systemd';
}

/** The services of the target, as the fact `services`. */
export const serviceFacts = defineModule({
  name: 'ansible.builtin.service_facts',
  summary: 'Reads the state of all services.',
  example: `
- name: Learn which services there are
  ansible.builtin.service_facts:
`,
  args: args({}),
  facts: () => [UNITS, FILES],
  plan(_given, facts) {
    const units = facts.get(UNITS);
    if (units.status !== 0) return { kind: 'failed', message: 'systemd does not answer' };
    const services: Record<string, Service> = {};
    for (const line of units.stdout.split('\n')) {
      const [name, load, active, sub] = line.trim().replace(/^● /, '').split(/\s+/);
      if (name === undefined || name === '') continue;
      const state =
        load === 'not-found' || load === 'masked'
          ? 'stopped'
          : active === 'failed'
            ? 'failed'
            : sub === 'running'
              ? 'running'
              : sub === 'exited' || sub === 'dead'
                ? 'stopped'
                : 'unknown';
      const status = load === 'not-found' ? 'not-found' : active === 'failed' ? 'failed' : 'unknown';
      services[name] = { name, state, status, source: 'systemd' };
    }
    for (const line of facts.get(FILES).stdout.split('\n')) {
      const [name, status] = line.trim().split(/\s+/);
      if (name === undefined || name === '' || status === undefined) continue;
      const known = services[name];
      services[name] = {
        name,
        state: known?.state ?? (name.endsWith('@.service') ? 'unknown' : 'inactive'),
        status,
        source: 'systemd',
      };
    }
    return { kind: 'unchanged', result: { ansible_facts: { services } } };
  },
});
