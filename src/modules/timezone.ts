import { query } from '../facts/fact.ts';
import { file as fileFact } from '../facts/file.ts';
import { content } from '../facts/content.ts';
import { quote } from '../lib/shell.ts';
import type { Plan } from '../steps/plan.ts';
import { args, str, unsupported } from './kit/arguments.ts';
import { defineModule } from './kit/define.ts';

const timezoneArgs = args({
  name: str
    .refine((value) => /^[A-Za-z0-9_+-]+(\/[A-Za-z0-9_+-]+)*$/.test(value), {
      error: 'expected a time zone such as Europe/Berlin or UTC',
    })
    .describe('The time zone, such as `Europe/Berlin`.'),
  hwclock: unsupported('the hardware clock is left alone'),
});

const LINK = query(fileFact, { path: '/etc/localtime' });
const NAME = query(content, '/etc/timezone');
const ZONES = '/usr/share/zoneinfo/';

/** The target's time zone. */
export const timezone = defineModule({
  name: 'community.general.timezone',
  summary: "Sets the target's time zone.",
  example: `
- name: Show times in UTC
  community.general.timezone:
    name: Etc/UTC
`,
  args: timezoneArgs,
  aliases: { hwclock: ['rtc'] },
  facts: (given) => [LINK, NAME, query(fileFact, { path: ZONES + given.name, follow: true })],
  plan(given, facts): Plan {
    const link = facts.get(LINK);
    const name = facts.get(NAME);
    const target = link.exists ? link.target : undefined;
    const now = target?.replace(/^(\.\.)?\/usr\/share\/zoneinfo\//, '') ?? 'n/a';
    // Older systems keep the name in a file as well; where there is one it must agree.
    const kept = name.kind === 'file' ? name.bytes.toString().trim() : undefined;
    if (now === given.name && (kept === undefined || kept === given.name)) return { kind: 'unchanged' };
    if (!facts.get(query(fileFact, { path: ZONES + given.name, follow: true })).exists) {
      return {
        kind: 'failed',
        message: `there is no time zone ${given.name} below ${ZONES} (is tzdata installed?)`,
      };
    }
    return {
      kind: 'change',
      diffs: [{ subject: 'timezone', before: `name: ${now}\n`, after: `name: ${given.name}\n` }],
      steps: [
        {
          kind: 'script',
          description: `set the time zone to ${given.name}`,
          script: [
            'set -e',
            `ln -sfn -- ${quote(ZONES + given.name)} /etc/.localtime.understudy`,
            'mv -fT /etc/.localtime.understudy /etc/localtime',
            ...(kept === undefined ? [] : [`printf '%s\\n' ${quote(given.name)} > /etc/timezone`]),
          ].join('\n'),
        },
      ],
    };
  },
});
