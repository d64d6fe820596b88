import { EXIT, type ExitCode } from '../lib/errors.ts';
import type { RunEvent } from '../run/events.ts';

export type Recap = Extract<RunEvent, { type: 'recap' }>;

/** What a run says to the shell: interrupted before unreachable before failed before drift, which only `check` knows. */
export function exitCode(recap: Recap, options: { readonly check: boolean }): ExitCode {
  if (recap.interrupted) return EXIT.interrupted;
  const hosts = Object.values(recap.hosts);
  if (hosts.some((host) => host.unreachable > 0)) return EXIT.unreachable;
  if (hosts.some((host) => host.failed > 0)) return EXIT.failed;
  if (options.check && hosts.some((host) => host.changed > 0)) return EXIT.drift;
  return EXIT.ok;
}
