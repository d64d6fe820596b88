import type { Step } from '../plan/step.ts';
import { args, count, list, path, str } from './arguments.ts';
import { defineModule } from './define.ts';

const rebootArgs = args({
  pre_reboot_delay: count.default(0),
  post_reboot_delay: count.default(0),
  reboot_timeout: count.default(600),
  connect_timeout: count.optional(),
  test_command: str.default('whoami'),
  msg: str.default('Reboot initiated by Ansible'),
  reboot_command: str.optional(),
  boot_time_command: str.optional(),
  search_paths: list(path).optional(),
});

/** Boots the target again and waits until it is back. */
export const reboot = defineModule({
  name: 'ansible.builtin.reboot',
  summary: 'Reboots the target and waits until it answers again.',
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
      mayChange: true,
    };
  },
});
