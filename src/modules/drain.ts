import { args, bool, choice, count, str } from './kit/arguments.ts';
import { defineModule } from './kit/define.ts';
import { siteOutcome } from './parts/site-outcome.ts';

const drainArgs = args({
  state: choice('drained', 'ready').describe(
    '`drained`: nothing new goes to the host on any balancer, and what runs is finished; `ready`: it is in service once every balancer finds it healthy.',
  ),
  host: str.optional().describe('The host, or the instance that it carries; the task’s own host without it.'),
  reason: str.default('a playbook works on it').describe('Why, for those who wonder.'),
  switchover: bool
    .default(false)
    .describe(
      'When it carries the primary, make another instance the primary first; otherwise that is a failure.',
    ),
  force: bool.default(false).describe('Also when no other server is in service.'),
  timeout: count
    .default(60)
    .describe('How many seconds running requests may take, or the host until it is healthy.'),
});

/** Takes a host out of what the balancers serve, and puts it back. */
export const drain = defineModule({
  name: 'understudy.site.drain',
  summary: 'Takes a server out of service on all balancers, and puts it back.',
  example: `
- name: Out of service, in the pre_tasks of a play with serial 1
  understudy.site.drain:
    state: drained
    switchover: true
- name: In service again, in its post_tasks
  understudy.site.drain:
    state: ready
`,
  args: drainArgs,
  facts: () => [],
  plan(given, _facts, context) {
    const host = given.host ?? context.host;
    const ask =
      given.state === 'ready'
        ? ({ verb: 'undrain', host } as const)
        : ({
            verb: 'drain',
            host,
            reason: given.reason,
            switchover: given.switchover,
            evenTheLast: given.force,
          } as const);
    return {
      kind: 'action',
      steps: [{ kind: 'site', ask, timeoutMs: given.timeout * 1000 }],
      finish: siteOutcome,
      inCheckMode: 'skip',
      effect: 'anything',
    };
  },
});
