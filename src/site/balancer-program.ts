import { EXIT, UserError } from '../lib/errors.ts';
import { command } from '../lib/shell.ts';
import type { Opened } from '../transport/reopened.ts';

/** A program that a role has put on the balancers. */
export interface BalancerProgram {
  readonly path: string;
  /** Its name in messages, as it begins its own. */
  readonly name: string;
  readonly role: string;
  /** Whose log says more. */
  readonly units: readonly string[];
}

export interface CallOptions {
  readonly timeoutMs: number;
  readonly stdin?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

const NOT_FOUND = 127;

/** The balancer has no such program: it was provisioned by an older release, and waiting does not help. */
export class MissingProgram extends UserError {}

/** Runs such a program on a balancer, as root, and gives back what it says; rejects with why it did not. */
export async function callProgram(
  balancer: string,
  open: () => Promise<Opened>,
  { path, name, role, units }: BalancerProgram,
  argv: readonly string[],
  { timeoutMs, stdin, signal }: CallOptions,
): Promise<string> {
  const { connection, become } = await open();
  const { status, stdout, stderr, timedOut } = await connection.run(command([path, ...argv]), {
    become,
    timeoutMs,
    signal,
    stdin: stdin === undefined ? undefined : Buffer.from(stdin),
  });
  if (status === 0) return stdout.toString('utf8');
  const text = stderr.toString('utf8').trim();
  const said = timedOut
    ? `it did not end within ${timeoutMs / 1000} s`
    : text.startsWith(`${name}: `)
      ? text.slice(name.length + 2)
      : text;
  if (status === NOT_FOUND) {
    throw new MissingProgram(
      {
        message: `${balancer}: there is no ${path}`,
        hint: `the role ${role} installs it: \`provision up\` first`,
      },
      { exitCode: EXIT.failed },
    );
  }
  const hint = `see journalctl ${units.map((unit) => `-u ${unit}`).join(' ')} on ${balancer}`;
  throw new UserError({ message: `${balancer}: ${said}`, hint }, { exitCode: EXIT.failed });
}
