import { args, count } from './kit/arguments.ts';
import { defineModule } from './kit/define.ts';

/** Waits until the target can be reached. */
export const waitForConnection = defineModule({
  name: 'ansible.builtin.wait_for_connection',
  summary: 'Waits until the target can be reached.',
  example: `
- name: Wait until the machine is up
  ansible.builtin.wait_for_connection:
    timeout: 300
`,
  args: args({
    timeout: count.default(600).describe('After how many seconds it fails.'),
    delay: count.default(0).describe('Seconds to wait before the first attempt.'),
    sleep: count.default(1).describe('Accepted, and without effect: attempts are half a second apart.'),
    connect_timeout: count
      .default(5)
      .describe('Accepted, and without effect: an attempt may take as long as any connection.'),
  }),
  facts: () => [],
  plan: (given) => ({
    kind: 'action',
    steps: [
      { kind: 'reconnect', timeoutMs: given.timeout * 1000, delayMs: given.delay * 1000, newBoot: false },
    ],
    finish: ([output]) =>
      output?.kind === 'no-answer'
        ? { status: 'failed', message: `timed out waiting for the connection: ${output.message}`, result: {} }
        : {
            status: 'ok',
            changed: false,
            result: { elapsed: output && 'ms' in output ? Math.round(output.ms / 1000) : 0 },
          },
    inCheckMode: 'skip',
    effect: 'anything',
  }),
});
