import { query } from '../facts/fact.ts';
import { unit } from '../facts/unit.ts';
import { args, bool, choice, count, str } from './kit/arguments.ts';
import { defineModule } from './kit/define.ts';
import { stateArgument, unitArgument, systemdShape } from './parts/systemd-arguments.ts';
import { planUnit } from './parts/unit-plan.ts';

const serviceArgs = args({
  name: unitArgument.describe('The unit; without an ending it is a service.'),
  state: stateArgument.describe(
    '`started` and `stopped` act where it is not so; `restarted` and `reloaded` always do.',
  ),
  enabled: bool.optional().describe('Whether it starts at boot.'),
  masked: systemdShape.masked,
  daemon_reload: systemdShape.daemon_reload,
  sleep: count
    .optional()
    .describe('Accepted, and without effect: a restart waits until the service has stopped.'),
  pattern: str.optional().describe('Accepted, and without effect: systemd knows what runs.'),
  runlevel: str.optional().describe('Accepted, and without effect: it is not for systemd.'),
  arguments: str
    .optional()
    .describe('Accepted, and without effect: what a unit is started with stands in it.'),
  use: choice('auto', 'systemd', 'ansible.builtin.systemd', 'ansible.builtin.systemd_service', 'service')
    .optional()
    .describe('The service manager, which is systemd.'),
});

/** Services, whatever runs them; here that is systemd. */
export const service = defineModule({
  name: 'ansible.builtin.service',
  summary: "Starts, stops and enables services with the target's service manager, which must be systemd.",
  example: `
- name: Run Nginx
  ansible.builtin.service:
    name: nginx
    state: started
    enabled: true
`,
  args: serviceArgs,
  aliases: { arguments: ['args'], daemon_reload: ['daemon-reload'] },
  facts: (given) => [query(unit, { name: given.name })],
  plan: (given, facts) =>
    planUnit(
      {
        ...given,
        daemonReload: given.daemon_reload,
        daemonReexec: false,
        scope: 'system',
        noBlock: false,
        force: false,
      },
      facts,
    ),
});
