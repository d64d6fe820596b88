import { args, bool, float, unsupported } from './kit/arguments.ts';
import { pythonDelta } from './parts/run-command.ts';
import { defineModule } from './kit/define.ts';

const pauseArgs = args(
  {
    seconds: float.optional().describe('How many seconds.'),
    minutes: float.optional().describe('How many minutes.'),
    prompt: unsupported('nobody may be there to answer; use vars_prompt or --extra-vars'),
    echo: bool.optional().describe('Accepted, and without effect: it is for prompts.'),
  },
  { exclusive: [['seconds', 'minutes']], oneOf: [['seconds', 'minutes']] },
);

/** Waits for a while. */
export const pause = defineModule({
  name: 'ansible.builtin.pause',
  summary: 'Waits for some seconds or minutes.',
  example: `
- name: Let it settle
  ansible.builtin.pause:
    seconds: 5
`,
  args: pauseArgs,
  facts: () => [],
  plan(given) {
    const seconds = Math.max(0, given.seconds ?? (given.minutes ?? 0) * 60);
    return {
      kind: 'action',
      steps: [{ kind: 'pause', ms: seconds * 1000 }],
      finish: () => ({
        status: 'ok',
        changed: false,
        result: {
          delta: Math.round(seconds),
          rc: 0,
          stdout: `Paused for ${pythonDelta(seconds * 1000)}`,
          echo: true,
        },
      }),
      inCheckMode: 'skip',
      effect: 'anything',
    };
  },
});
