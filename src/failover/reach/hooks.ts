import type { FailoverSettings } from '../cluster/cluster.ts';

import { EXIT, UserError } from '../../lib/errors.ts';
import { run } from '../../lib/process.ts';
import { userEnvironment } from '../../lib/system-path.ts';
import type { HookRunner } from './ports.ts';

/** Output of a hook beyond this is dropped, in bytes. */
const LONGEST_OUTPUT = 4000;

export interface HookOptions {
  /** Removes secrets from the output: a hook may print its environment, and the output goes to the journal. */
  readonly redact?: ((text: string) => string) | undefined;
  /** Receives the output of a hook that succeeded. */
  readonly onOutput?: ((name: string, text: string) => void) | undefined;
}

/**
 * Runs the operator's executables: the event as JSON on stdin, its name as the only argument. Status 0 lets the change
 * go on; another one, and what it said, is the reason why not. That stops the change for the hooks named `before-…`;
 * of the others it is reported.
 */
export function hookRunner(hooks: FailoverSettings['hooks'], options: HookOptions = {}): HookRunner {
  const { redact = (text) => text, onOutput } = options;
  return async (name, event, signal) => {
    const path = hooks[name];
    if (path === undefined) return;
    signal?.throwIfAborted();
    const failed = (why: string, cause?: unknown): UserError =>
      new UserError(
        { message: redact(`the hook ${name} (${path}) ${why}`) },
        { exitCode: EXIT.failed, ...(cause === undefined ? {} : { cause }) },
      );
    let said = '';
    const take = (chunk: Buffer): void => {
      said = (said + chunk.toString('utf8')).slice(-LONGEST_OUTPUT);
    };
    const { status, cut, killedBy, error } = await run([path, name], {
      input: `${JSON.stringify({ hook: name, ...event })}\n`,
      env: userEnvironment(),
      signal,
      wholeGroup: true,
      onStdout: take,
      onStderr: take,
    });
    if (error) throw failed(`cannot be run: ${error.message}`, error);
    if (cut) throw failed('did not end in time');
    const text = said.trim();
    if (status !== 0)
      throw failed(`ended with ${killedBy ?? `status ${status}`}: ${text || 'it said nothing'}`);
    if (text !== '') onOutput?.(name, redact(text));
  };
}
