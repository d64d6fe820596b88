import { readFileSync } from 'node:fs';
import { UserError } from '../../lib/errors.ts';
import { command } from '../../lib/shell.ts';
import type { Become, Connection } from '../../transport/transport.ts';
import type { Machine } from './machine.ts';
import { type InstanceOfMachine, machineOf, ofInstance, type RunVerb } from './machine-verbs.ts';

let text: string | undefined;

/** The script is sent with each command, so nothing has to be installed on the host. */
function script(argv: readonly string[]): string {
  text ??= readFileSync(new URL('../../../files/failover/understudy-node', import.meta.url), 'utf8');
  return `${command(['set', '--', ...argv])}\n${text}`;
}

/** A machine as an operator reaches it: over SSH, as root by sudo. */
export function operatorMachine(
  connection: Connection,
  become: Become | undefined,
  instance?: InstanceOfMachine,
): Machine {
  return machineOf(connection.host, operatorVerbs(connection, become, instance));
}

/** The verbs of `understudy-node` there. */
export function operatorVerbs(
  connection: Connection,
  become: Become | undefined,
  instance?: InstanceOfMachine,
): RunVerb {
  return ofInstance(instance, async (argv, { timeoutMs, signal, onStdout, stdin }) => {
    try {
      const result = await connection.run(script(argv), {
        become,
        timeoutMs,
        signal,
        onStdout,
        stdin,
      });
      const stderr = result.timedOut
        ? `it did not end within ${timeoutMs / 1000} s`
        : result.stderr.toString('utf8');
      return { status: result.status, stdout: result.stdout.toString('utf8'), stderr };
    } catch (error) {
      if (signal?.aborted || !(error instanceof UserError)) throw error;
      return { status: -1, stdout: '', stderr: '', unreachable: error.message };
    }
  });
}
