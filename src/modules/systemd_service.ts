import { query } from '../facts/fact.ts';
import { unit } from '../facts/unit.ts';
import type { Plan } from '../steps/plan.ts';
import { args } from './kit/arguments.ts';
import { defineModule } from './kit/define.ts';
import { systemdShape } from './parts/systemd-arguments.ts';
import { planUnit, systemctl, SYSTEMD_PRELUDE } from './parts/unit-plan.ts';

const systemdArgs = args(systemdShape, {
  together: [
    ['state', 'name'],
    ['enabled', 'name'],
    ['masked', 'name'],
  ],
}).superRefine((given, context) => {
  if (given.scope === 'global' && given.state !== undefined) {
    context.addIssue({ code: 'custom', message: 'scope: global has no running units; leave out state' });
  }
});

/** Units of systemd. */
export const systemdService = defineModule({
  name: 'ansible.builtin.systemd_service',
  summary: 'Starts, stops, enables and masks units of systemd.',
  example: `
- name: Restart it with its new unit
  ansible.builtin.systemd_service:
    name: app.service
    state: restarted
    daemon_reload: true
`,
  args: systemdArgs,
  aliases: {
    name: ['service', 'unit'],
    daemon_reload: ['daemon-reload'],
    daemon_reexec: ['daemon-reexec'],
  },
  facts: (given) => (given.name === undefined ? [] : [query(unit, { name: given.name, scope: given.scope })]),
  plan(given, facts, context): Plan {
    const wish = {
      ...given,
      daemonReload: given.daemon_reload,
      daemonReexec: given.daemon_reexec,
      noBlock: given.no_block,
      force: given.force ?? false,
    };
    if (given.name !== undefined) {
      const plan = planUnit({ ...wish, name: given.name }, facts);
      // That systemd would read its files again is no change to report.
      const isReloadOnly = plan.kind === 'change' && plan.diffs.length === 0;
      return isReloadOnly && context.checkMode ? { kind: 'unchanged', result: plan.result ?? {} } : plan;
    }
    const result = { name: null, status: {} };
    // What else than a unit's own files matters (generators, new directories) systemd does not tell, so it is asked to
    // read them all. That changes nothing on the target.
    const verbs = [
      ...(given.daemon_reload ? ['daemon-reload'] : []),
      ...(given.daemon_reexec ? ['daemon-reexec'] : []),
    ];
    if (context.checkMode || verbs.length === 0) return { kind: 'unchanged', result };
    return {
      kind: 'change',
      diffs: [],
      steps: [
        {
          kind: 'script',
          description: `systemd: ${verbs.join(' and ')}`,
          script: [
            ...SYSTEMD_PRELUDE,
            ...verbs.map((verb) => systemctl({ ...wish, noBlock: false, force: false }, verb)),
          ].join('\n'),
        },
      ],
      result,
      finish: () => ({ status: 'ok', changed: false, result }),
    };
  },
});
