import { args, str } from './kit/arguments.ts';
import { defineModule } from './kit/define.ts';

/** Answers `pong`, which shows that the target can be reached. */
export const ping = defineModule({
  name: 'ansible.builtin.ping',
  summary: 'Answers pong when the target can be reached.',
  example: `
- name: See whether the host can be worked on
  ansible.builtin.ping:
`,
  args: args({ data: str.default('pong').describe('What it answers; `crash` fails.') }),
  facts: () => [],
  plan: (given) => ({
    kind: 'action',
    steps: [{ kind: 'script', description: 'reach the target', script: ':' }],
    finish: () =>
      given.data === 'crash'
        ? { status: 'failed', message: 'boom', result: {} }
        : { status: 'ok', changed: false, result: { ping: given.data } },
    inCheckMode: 'run',
    effect: 'nothing',
  }),
});
