import type { TransportFailure } from './failure.ts';
import type { Become } from './transport.ts';

/** What sudo says beside the point: it goes on all the same. */
const CHATTER = /^sudo(?:-rs)?: (?:unable to resolve host|setrlimit\(|unable to open audit system)/;

const NEEDS_PASSWORD =
  /a password is required|a terminal is required|no tty present|no password was provided|interactive authentication is required/;
const NEEDS_TERMINAL = /you must have a tty/;

/**
 * Why sudo ended without running our shell: by its words in the C locale, which is all there is to tell the reasons
 * apart. `said` is all that it wrote, without our own prompt.
 */
export function sudoRefusal(become: Become, status: number | undefined, said: string): TransportFailure {
  const { user } = become;
  if (NEEDS_TERMINAL.test(said)) return { kind: 'sudo-requiretty', user };
  if (NEEDS_PASSWORD.test(said) && !become.password) return { kind: 'sudo-password-required', user };
  // Of the shell that was to start it: sudo itself answers 1.
  if (status === 127) return { kind: 'sudo-refused', user, reason: 'sudo is not installed' };
  return {
    kind: 'sudo-refused',
    user,
    reason: reasonIn(said) || `it ended with status ${status ?? 'unknown'}`,
  };
}

/** The line that matters: sudo's own first one that is no chatter, else the last. */
export function reasonIn(said: string): string {
  const lines = said
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !CHATTER.test(line));
  return lines.find((line) => line.startsWith('sudo: ')) ?? lines.at(-1) ?? '';
}
