import { args, count, str } from './kit/arguments.ts';
import { defineModule } from './kit/define.ts';
import { siteOutcome } from './parts/site-outcome.ts';

const switchoverArgs = args(
  {
    to: str.optional().describe('The instance that shall be the primary, or its host.'),
    away_from: str
      .optional()
      .describe(
        'The host, or the instance, that shall not be the primary; the task’s own host without either.',
      ),
    reason: str.default('a playbook works on it').describe('Why, for the journal.'),
    timeout: count.default(60).describe('How many seconds it may take.'),
  },
  { exclusive: [['to', 'away_from']] },
);

/** Moves the primary of the database while it runs. */
export const switchover = defineModule({
  name: 'understudy.site.switchover',
  summary: 'Makes another instance the primary of the database, without losing a write.',
  example: `
- name: The primary is elsewhere before this host is worked on
  understudy.site.switchover:
`,
  args: switchoverArgs,
  facts: () => [],
  plan(given, _facts, context) {
    const { reason } = given;
    const ask =
      given.to === undefined
        ? ({ verb: 'switchover', awayFrom: given.away_from ?? context.host, reason } as const)
        : ({ verb: 'switchover', to: given.to, reason } as const);
    return {
      kind: 'action',
      steps: [{ kind: 'site', ask, timeoutMs: given.timeout * 1000 }],
      finish: siteOutcome,
      inCheckMode: 'skip',
      effect: 'anything',
    };
  },
});
