import type { FailoverSettings } from '../cluster/cluster.ts';
import { spawn } from 'node:child_process';

import { EXIT, UserError } from '../../lib/errors.ts';
import { userEnvironment } from '../../lib/system-path.ts';
import type { HookRunner } from './ports.ts';

/** A hook that says more than this has said enough. */
const LONGEST_OUTPUT = 4000;

export interface HookOptions {
  /** A hook that prints its environment must not bring a password into the journal. */
  readonly redact?: ((text: string) => string) | undefined;
  /** What a hook said that was content. */
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
    await new Promise<void>((resolve, reject) => {
      const child = spawn(path, [name], {
        stdio: ['pipe', 'pipe', 'pipe'],
        detached: true,
        env: userEnvironment(),
      });
      let said = '';
      const take = (chunk: Buffer): void => {
        said = (said + chunk.toString('utf8')).slice(-LONGEST_OUTPUT);
      };
      const abort = (): void => {
        // It leads a group of its own, so what it has started ends with it.
        if (child.pid !== undefined) {
          try {
            process.kill(-child.pid, 'SIGKILL');
          } catch {
            // It has ended by itself.
          }
        }
        reject(failed('did not end in time'));
      };
      signal?.addEventListener('abort', abort, { once: true });
      const over = (): void => signal?.removeEventListener('abort', abort);
      child.stdout.on('data', take);
      child.stderr.on('data', take);
      // One that does not read what it is told is no failure.
      child.stdin.on('error', () => {});
      child.on('error', (error) => {
        over();
        reject(failed(`cannot be run: ${error.message}`, error));
      });
      child.on('close', (status, killedBy) => {
        over();
        const text = said.trim();
        if (status === 0) {
          if (text !== '') onOutput?.(name, redact(text));
          resolve();
        } else reject(failed(`ended with ${killedBy ?? `status ${status}`}: ${text || 'it said nothing'}`));
      });
      child.stdin.end(`${JSON.stringify({ hook: name, ...event })}\n`);
    });
  };
}
