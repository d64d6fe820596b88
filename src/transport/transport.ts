import type { Duplex } from 'node:stream';

import { EXIT, UserError } from '../lib/errors.ts';
import type { Secret } from '../lib/secret.ts';
import { explain } from './explain.ts';
import type { TransportFailure } from './failure.ts';

/**
 * A host as the inventory describes it. What is left out comes from the user's ssh configuration, as with `ssh -o`:
 * what is said here wins.
 */
export interface HostAddress {
  /** The inventory name: messages use it. */
  readonly name: string;
  readonly address: string;
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  readonly privateKeyFile?: string | undefined;
  readonly password?: Secret | undefined;
  /** For the private key file. */
  readonly passphrase?: Secret | undefined;
  /** OpenSSH's ProxyJump: `[user@]host[:port]`, the first hop first. Undefined leaves it to the ssh configuration. */
  readonly jumps?: readonly string[] | undefined;
  /** Several such lists instead, to be tried in this order until one leads to the host. */
  readonly alternatives?: readonly (readonly string[])[] | undefined;
  readonly knownHostsFile?: string | undefined;
  readonly hostKeyChecking?: HostKeyChecking | undefined;
  /** Instead of ~/.ssh/config; `none` reads no file. */
  readonly sshConfigFile?: string | undefined;
  readonly connectTimeoutMs?: number | undefined;
  /** Further options of ssh, as given on its command line: by their names in lower case, each value in order. */
  readonly sshOptions?: Readonly<Record<string, readonly string[]>> | undefined;
}

/** `accept-new` trusts a host seen for the first time, and still refuses a changed key. */
export type HostKeyChecking = 'strict' | 'accept-new';

/** Another user to work as, by sudo. */
export interface Become {
  readonly user: string;
  readonly password?: Secret | undefined;
}

/** What a script did. After a time limit the status is that of the killed shell: 143 or 137. */
export interface ScriptResult {
  readonly status: number;
  /** Empty when `onStdout` took the output. */
  readonly stdout: Buffer;
  /** Empty when `onStderr` took the output. */
  readonly stderr: Buffer;
  readonly timedOut: boolean;
}

export interface RunOptions {
  readonly become?: Become | undefined;
  /** Then the script's processes are ended, on the host too. */
  readonly timeoutMs?: number | undefined;
  /** Ends the script's processes; the run is rejected with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Takes the output as it comes; it is then not kept for the result. */
  readonly onStdout?: ((chunk: Buffer) => void) | undefined;
  readonly onStderr?: ((chunk: Buffer) => void) | undefined;
  /** What the script reads on stdin; /dev/null without. */
  readonly stdin?: Buffer | undefined;
}

export interface TransferOptions {
  readonly become?: Become | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface UploadOptions extends TransferOptions {
  /** Where the file is wanted, when it can be made there; what is there goes. Else it is below /tmp. */
  readonly preferred?: string | undefined;
}

/** Bytes, or a file on this machine. */
export type Content = Buffer | { readonly localFile: string };

/** A way to run scripts on one host. Runs as the same user follow one another; different users work in parallel. */
export interface Connection {
  readonly host: string;
  run(script: string, options?: RunOptions): Promise<ScriptResult>;
  /** Writes a new temporary file (mode 0600, owned by the user) and returns its path on the host. */
  upload(content: Content, options?: UploadOptions): Promise<string>;
  download(remotePath: string, options?: TransferOptions): Promise<Buffer>;
  /** Opens a TCP connection that starts at the host. Rejects with a ForwardError when it was not made. */
  forward(address: string, port: number): Promise<Duplex>;
  close(): Promise<void>;
  readonly closed: boolean;
}

export interface Transport {
  connect(host: HostAddress, signal?: AbortSignal): Promise<Connection>;
  close(): Promise<void>;
}

/** A host that cannot be worked on, and what to do about it. */
export class TransportError extends UserError {
  readonly failure: TransportFailure;
  readonly host: string;

  constructor(host: string, failure: TransportFailure, options: { cause?: unknown } = {}) {
    super(explain(host, failure), { ...options, exitCode: EXIT.unreachable });
    this.name = 'TransportError';
    this.failure = failure;
    this.host = host;
  }
}
