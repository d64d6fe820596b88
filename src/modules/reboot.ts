import type { Step } from '../steps/step.ts';
import { args, count, list, path, str } from './kit/arguments.ts';
import { defineModule } from './kit/define.ts';

const rebootArgs = args({
  pre_reboot_delay: count.default(0).describe('Seconds to wait before.'),
  post_reboot_delay: count.default(0).describe('Seconds to wait after, before the first attempt to connect.'),
  reboot_timeout: count
    .default(600)
    .describe('How many seconds it may take until the target answers again, and as many for `test_command`.'),
  connect_timeout: count
    .optional()
    .describe('Accepted, and without effect: an attempt may take as long as any connection.'),
  test_command: str.default('whoami').describe('What must succeed before the target counts as up.'),
  msg: str
    .default('Reboot initiated by Ansible')
    .describe('Accepted, and without effect: users are told by systemd.'),
  reboot_command: str.optional().describe('Instead of systemctl, shutdown or reboot.'),
  boot_time_command: str
    .optional()
    .describe('Accepted, and without effect: the boot is known by its id and the age of the first process.'),
  search_paths: list(path)
    .optional()
    .describe('Accepted, and without effect: the commands are found as usual.'),
});

/** Boots the target again and waits until it is back. */
export const reboot = defineModule({
  name: 'ansible.builtin.reboot',
  summary: 'Reboots the target and waits until it answers again.',
  example: `
- name: Start the new kernel
  ansible.builtin.reboot:
    reboot_timeout: 300
`,
  args: rebootArgs,
  facts: () => [],
  plan(given, _facts, context) {
    const result = { rebooted: true };
    // The connection breaks while the command runs, so it is left to itself; a moment later its answer has come back.
    const command = given.reboot_command ?? 'systemctl reboot || shutdown -r now || reboot';
    const steps: Step[] = [
      ...(given.pre_reboot_delay > 0 ? [{ kind: 'pause' as const, ms: given.pre_reboot_delay * 1000 }] : []),
      {
        kind: 'script',
        description: 'reboot',
        script: `( trap '' HUP; sleep 1; ${command} ) >/dev/null 2>&1 </dev/null &`,
      },
      {
        kind: 'reconnect',
        timeoutMs: given.reboot_timeout * 1000,
        delayMs: given.post_reboot_delay * 1000,
        newBoot: true,
      },
      {
        kind: 'wait-script',
        description: `run ${given.test_command}`,
        script: given.test_command,
        timeoutMs: given.reboot_timeout * 1000,
        delayMs: 0,
        intervalMs: 1000,
      },
    ];
    // In check mode it is reported as a change; otherwise a reboot is always one.
    if (context.checkMode) {
      return { kind: 'change', diffs: [{ subject: 'reboot', before: '', after: 'reboot\n' }], steps, result };
    }
    return {
      kind: 'action',
      steps,
      finish(outputs) {
        const failed = outputs.find((output) => output.kind === 'no-answer');
        if (failed?.kind === 'no-answer') {
          return {
            status: 'failed',
            message: `Timed out waiting for the reboot: ${failed.message}`,
            result: { rebooted: outputs.length > steps.length - 1 },
          };
        }
        const elapsed = outputs.reduce((sum, output) => sum + ('ms' in output ? output.ms : 0), 0);
        return { status: 'ok', changed: true, result: { ...result, elapsed: Math.round(elapsed / 1000) } };
      },
      inCheckMode: 'skip',
      effect: 'anything',
    };
  },
});
