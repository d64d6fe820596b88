import type { Secret } from '../lib/secret.ts';

/** A name server that takes updates, and the key that they are signed with (RFC 2136, RFC 8945). */
export interface UpdateServer {
  /** By its address, as who runs the script reaches it. */
  readonly server: string;
  readonly port: number;
  /** Undefined: the name server says in which zone a record is. */
  readonly zone: string | undefined;
  readonly key: { readonly name: string; readonly algorithm: string; readonly secret: Secret };
}

/**
 * A script of POSIX sh that sends one update; the key goes to nsupdate on standard input. Every value that goes into this
 * text must have been checked for its form: one with a line feed would be a command.
 */
export function updateScript(
  { server, port, zone, key }: UpdateServer,
  seconds: number,
  lines: readonly string[],
): string {
  return [
    `timeout ${seconds} nsupdate -v -t ${seconds} <<'END'`,
    `server ${server} ${port}`,
    ...(zone === undefined ? [] : [`zone ${zone}.`]),
    `key ${key.algorithm}:${key.name} ${key.secret.reveal()}`,
    ...lines,
    'send',
    'END',
    '',
  ].join('\n');
}
