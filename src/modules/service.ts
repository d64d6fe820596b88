import { query } from '../facts/fact.ts';
import { unit } from '../facts/unit.ts';
import { args, bool, choice, count, str, unsupported } from './arguments.ts';
import { defineModule } from './define.ts';
import { stateArgument, unitArgument } from './systemd-arguments.ts';
import { planUnit } from './unit-plan.ts';

const serviceArgs = args(
  {
    name: unitArgument,
    state: stateArgument,
    enabled: bool.optional(),
    sleep: count.optional(),
    pattern: unsupported('systemd knows what runs'),
    runlevel: str.optional(),
    arguments: unsupported('write them into the unit'),
    use: choice('auto', 'systemd', 'ansible.builtin.systemd', 'ansible.builtin.systemd_service').optional(),
  },
  { oneOf: [['state', 'enabled']] },
);

/** Services, whatever runs them; here that is systemd. */
export const service = defineModule({
  name: 'ansible.builtin.service',
  summary: "Starts, stops and enables services with the target's service manager, which must be systemd.",
  args: serviceArgs,
  aliases: { arguments: ['args'] },
  facts: (given) => [query(unit, { name: given.name })],
  plan: (given, facts) =>
    planUnit(
      { ...given, daemonReload: false, daemonReexec: false, scope: 'system', noBlock: false, force: false },
      facts,
    ),
});
