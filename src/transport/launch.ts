import { command, quote } from '../lib/shell.ts';
import type { Become } from './transport.ts';
import { printMarker } from './frames.ts';
import { REAP_FUNCTIONS } from './reap.ts';

/**
 * Copies to the connection and, once that is lost, drops the rest. So a script never dies of a broken pipe: an
 * installation that has begun runs to its end, and the host is not left with half a package.
 */
const RELAY = '{ cat; exec cat >/dev/null; }';

/** How the long-lived shell begins. The locale is fixed because programs' output is parsed; the mask is Debian's. */
const PROLOGUE = 'exec 3>&2 2>/dev/null; umask 022; LC_ALL=C.UTF-8; export LC_ALL; unset LANGUAGE';

/**
 * The command line that starts the long-lived shell. It contains no secret. The user's login shell reads it first, and
 * may be any: hence one line, one kind of quotes, nothing that csh or fish would expand.
 */
export function launchCommand(nonce: string, become?: { user: string; prompt?: string | undefined }): string {
  const ready = printMarker(nonce, 'r').replaceAll("'", '"');
  const stdout = `{ { ${ready}; exec sh 2>&5 4>&- 5>&-; } | ${RELAY} 4>&- 5>&-; }`;
  const shell = command(['sh', '-c', `exec 4>&1; ${stdout} 5>&1 >&4 | ${RELAY} >&2 4>&-`]);
  return become ? `exec ${sudo(become)} ${shell}` : `exec ${shell}`;
}

/** The first thing the shell is sent: it answers with its process id. */
export function prologue(nonce: string): string {
  return `${PROLOGUE}; ${printMarker(nonce, 'm', '$$')}\n${REAP_FUNCTIONS}\n`;
}

/** Runs one command as another user with its stdin free for data; used where bytes are not worth a frame. */
export function rawCommand(
  nonce: string,
  script: string,
  become?: { user: string; prompt?: string | undefined },
): string {
  const shell = command(['sh', '-c', `${printMarker(nonce, 'r').replaceAll("'", '"')}; ${script}`]);
  return become ? `exec ${sudo(become)} ${shell}` : `exec ${shell}`;
}

function sudo(become: { user: string; prompt?: string | undefined }): string {
  // In the C locale sudo's refusals read the same on every host.
  const flags = become.prompt === undefined ? '-n' : `-S -p ${quote(become.prompt)}`;
  return `env LC_ALL=C sudo -H ${flags} -u ${quote(become.user)} --`;
}

/** Two Becomes share a shell when they are the same user. */
export function becomeKey(become: Become | undefined): string {
  return become?.user ?? '';
}
