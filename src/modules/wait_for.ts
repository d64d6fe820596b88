import { quote } from '../lib/shell.ts';
import type { Outcome, Plan } from '../steps/plan.ts';
import type { Step, StepOutput } from '../steps/step.ts';
import { args, choice, count, int, path, str, unsupported } from './kit/arguments.ts';
import { placedAt } from './parts/file-plan.ts';
import { defineModule } from './kit/define.ts';
import { toExtendedRegex } from '../lib/python-regex.ts';

const waitArgs = args(
  {
    host: str.default('127.0.0.1').describe('The host of the port, as the target reaches it.'),
    port: int.optional().describe('The port.'),
    path: path.optional().describe('The file on the target.'),
    search_regex: str
      .refine((value) => toExtendedRegex(value) !== undefined, {
        error: 'uses what grep on the target does not have (look-around, lazy quantifiers, back references)',
      })
      .optional()
      .describe('What the file must contain, as a regular expression.'),
    state: choice('absent', 'drained', 'present', 'started', 'stopped')
      .refine((value) => value !== 'drained', {
        error: 'drained is not supported; wait with ansible.builtin.command',
      })
      .default('started')
      .describe(
        '`started` and `present` wait until the port is open or the file is there, `stopped` and `absent` until it is not.',
      ),
    timeout: count.default(300).describe('After how many seconds it fails.'),
    delay: count.default(0).describe('Seconds to wait before the first look.'),
    sleep: count.default(1).describe('Seconds between two looks.'),
    connect_timeout: count
      .default(5)
      .describe('Seconds after which a port that does not answer counts as closed.'),
    msg: str.optional().describe('What to say when it fails.'),
    active_connection_states: unsupported('it belongs to state: drained'),
    exclude_hosts: unsupported('it belongs to state: drained'),
  },
  { exclusive: [['port', 'path']] },
).superRefine((given, context) => {
  const problem = (message: string): void => context.addIssue({ code: 'custom', message });
  if (given.search_regex !== undefined && given.path === undefined) {
    problem('search_regex: is supported with path only');
  }
  if (given.state === 'stopped' && given.path !== undefined)
    problem('state: stopped needs port; use absent for a path');
});

type WaitArgs = (typeof waitArgs)['_output'];

/** Waits for a port, a file, or just for a while. */
export const waitFor = defineModule({
  name: 'ansible.builtin.wait_for',
  summary: 'Waits until a port is open or closed, or a file is there, gone, or contains something.',
  example: `
- name: Wait for the database
  ansible.builtin.wait_for:
    host: db1
    port: 3306
    timeout: 60
`,
  args: waitArgs,
  paths: ['path'],
  afterwards: placedAt('path'),
  facts: () => [],
  plan: (given): Plan => ({
    kind: 'action',
    steps: [stepOf(given)],
    finish: ([output]) => finish(given, output),
    // Ansible skips it in check mode: what it waits for may be what was not done.
    inCheckMode: 'skip',
    effect: 'anything',
  }),
});

function stepOf(given: WaitArgs): Step {
  const times = {
    timeoutMs: given.timeout * 1000,
    delayMs: given.delay * 1000,
    intervalMs: given.sleep * 1000,
  };
  const isGone = given.state === 'absent' || given.state === 'stopped';
  if (given.port !== undefined) {
    return {
      kind: 'wait-port',
      host: given.host,
      port: given.port,
      until: isGone ? 'closed' : 'open',
      ...times,
      connectTimeoutMs: given.connect_timeout * 1000,
    };
  }
  if (given.path !== undefined) {
    return {
      kind: 'wait-script',
      description: `wait for ${given.path}`,
      script: pathScript(given, given.path),
      ...times,
      // A quick look costs little, and a second is long.
      intervalMs: Math.min(times.intervalMs, 1000),
    };
  }
  return { kind: 'pause', ms: given.timeout * 1000 + given.delay * 1000 };
}

function pathScript(given: WaitArgs, path: string): string {
  const word = quote(path);
  const isThere =
    given.search_regex === undefined
      ? `[ -e ${word} ]`
      : `grep -q -E -e ${quote(toExtendedRegex(given.search_regex) ?? '')} -- ${word} 2>/dev/null`;
  return given.state === 'absent' ? `! ${isThere}` : isThere;
}

function finish(given: WaitArgs, output: StepOutput | undefined): Outcome {
  const elapsed = output && 'ms' in output ? Math.round(output.ms / 1000) : 0;
  const result = {
    state: given.state,
    port: given.port ?? null,
    path: given.path ?? null,
    search_regex: given.search_regex ?? null,
    elapsed,
    // What groups of a pattern matched is not known here; a pattern without groups has none.
    ...(given.search_regex?.includes('(') ? {} : { match_groups: [], match_groupdict: {} }),
  };
  if (output?.kind !== 'no-answer') return { status: 'ok', changed: false, result };
  const what =
    given.path === undefined
      ? `${given.host}:${given.port ?? ''}${given.state === 'absent' || given.state === 'stopped' ? ' to stop' : ''}`
      : given.search_regex === undefined
        ? `file ${given.path}`
        : `search string ${given.search_regex} in ${given.path}`;
  return { status: 'failed', message: given.msg ?? `Timeout when waiting for ${what}`, result };
}
