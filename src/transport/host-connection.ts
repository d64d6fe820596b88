import type { Duplex } from 'node:stream';

import { UserError } from '../lib/errors.ts';
import { quote } from '../lib/shell.ts';
import type { Channel, OpenChannel } from './channel.ts';
import { LocalFileError, piecesOf, sizeOf, wholeOf } from './content.ts';
import { forwardByShell, forwardError, isProhibited } from './forward.ts';
import { becomeKey } from './launch.ts';
import { openRawChannel, openShellChannel } from './open-shell.ts';
import { type RemoteShell, remoteShell } from './remote-shell.ts';
import {
  type Become,
  type Connection,
  type Content,
  type RunOptions,
  type ScriptResult,
  type TransferOptions,
  type UploadOptions,
  TransportError,
} from './transport.ts';

/** Above this, bytes take a channel of their own: quoted, they would have to fit in the shell's memory. */
const IN_SHELL_LIMIT = 512 * 1024;

const WRITE_TEMPORARY = 'write a temporary file';

/** What a connection is made on: a way to start commands. */
export interface Host {
  readonly name: string;
  /** Becoming this user needs no sudo. */
  readonly user: string;
  readonly open: OpenChannel;
  readonly sudoTimeoutMs: number;
  /** Why the connection under the channels is gone, while it is. */
  readonly lostReason: () => string | undefined;
  /** Writes a local file or bytes to a path of the login user, where there is something faster than a channel. */
  readonly sendFile?: ((content: Content, remotePath: string) => Promise<void>) | undefined;
  /** Opens a TCP connection from the host. */
  readonly dial: (address: string, port: number) => Promise<Duplex>;
  readonly release: () => Promise<void>;
}

/** A connection over anything that starts commands: SSH, or processes on this machine. */
export function hostConnection(host: Host): Connection {
  return new HostConnection(host);
}

class HostConnection implements Connection {
  readonly host: string;
  readonly #host: Host;
  readonly #shells = new Map<string, Promise<RemoteShell>>();
  #closed = false;

  constructor(host: Host) {
    this.host = host.name;
    this.#host = host;
  }

  get closed(): boolean {
    return this.#closed || this.#host.lostReason() !== undefined;
  }

  async run(script: string, options: RunOptions = {}): Promise<ScriptResult> {
    options.signal?.throwIfAborted();
    const { stdin, become, signal } = options;
    if (stdin === undefined || stdin.length <= IN_SHELL_LIMIT)
      return await (await this.#shell(become)).run(script, options);
    const path = await this.upload(stdin, { become, signal });
    const { stdin: _large, ...rest } = options;
    const shell = await this.#shell(become);
    return await shell.run(`exec <${quote(path)}; rm -f ${quote(path)}\n${script}`, rest);
  }

  async upload(content: Content, options: UploadOptions = {}): Promise<string> {
    const size = await sizeOf(content);
    const makeFile = makeFileScript(options.preferred);
    if (size <= IN_SHELL_LIMIT) {
      const stdin = await wholeOf(content);
      const script = `${makeFile}\ncat >"$__f" || { rm -f "$__f"; exit 1; }\nprintf %s "$__f"`;
      return (await this.#must(script, WRITE_TEMPORARY, { ...options, stdin })).toString('utf8');
    }
    const made = await this.#must(`${makeFile}\nprintf %s "$__f"`, WRITE_TEMPORARY, options);
    const path = made.toString('utf8');
    try {
      await this.#sendLarge(content, path, options);
    } catch (error) {
      if (this.#host.lostReason() !== undefined) throw this.#lost('while a file was sent');
      await this.run(`rm -f ${quote(path)}`, { become: options.become });
      throw error;
    }
    return path;
  }

  async download(remotePath: string, options: TransferOptions = {}): Promise<Buffer> {
    return await this.#must(`cat -- ${quote(remotePath)}`, `read ${remotePath}`, options);
  }

  async forward(address: string, port: number): Promise<Duplex> {
    try {
      return await this.#host.dial(address, port);
    } catch (error) {
      if (this.#host.lostReason() !== undefined) throw this.#lost(undefined, error);
      if (!isProhibited(error)) throw forwardError(error, address, port);
    }
    return await forwardByShell(this.#opening(), address, port);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const starting of this.#shells.values()) {
      starting.then(
        (one) => one.close(),
        () => {},
      );
    }
    await this.#host.release();
  }

  /** Reapers have shells of their own: the one to help is busy. */
  async #shell(become: Become | undefined, role: 'work' | 'reap' = 'work'): Promise<RemoteShell> {
    if (this.#closed) throw new TransportError(this.host, { kind: 'lost', reason: 'it was closed here' });
    const other = this.#other(become);
    const key = `${role} ${becomeKey(other)}`;
    const existing = this.#shells.get(key);
    if (existing) {
      const ready = await existing;
      if (!ready.closed) return ready;
      if (this.#host.lostReason() !== undefined) throw this.#lost();
      if (this.#shells.get(key) === existing) this.#shells.delete(key);
      return await this.#shell(become, role);
    }
    const starting = this.#startShell(become, other);
    this.#shells.set(key, starting);
    // A refusal is not remembered: the next run may bring the right password.
    starting.catch(() => this.#shells.delete(key));
    return await starting;
  }

  async #startShell(become: Become | undefined, other: Become | undefined): Promise<RemoteShell> {
    const channel = await openShellChannel({ ...this.#opening(), become: other });
    return remoteShell(channel, {
      ended: (during, said) => this.#ended(during, said),
      reap: async (pid) => {
        const reaper = await this.#shell(become, 'reap');
        await reaper.run(`__reap ${pid} ''`);
      },
    });
  }

  /** Undefined when it is who logs in. */
  #other(become: Become | undefined): Become | undefined {
    return become && become.user !== this.#host.user ? become : undefined;
  }

  #opening(): { readonly host: string; readonly open: OpenChannel; readonly timeoutMs: number } {
    return { host: this.host, open: this.#host.open, timeoutMs: this.#host.sudoTimeoutMs };
  }

  #lost(during?: string, cause?: unknown): TransportError {
    const reason = this.#host.lostReason() ?? 'the shell on the host ended, though the connection stands';
    return new TransportError(
      this.host,
      { kind: 'lost', reason, ...(during === undefined ? {} : { during }) },
      cause === undefined ? {} : { cause },
    );
  }

  #ended(during: string, said: string | undefined): TransportError {
    if (this.#host.lostReason() === undefined && said !== undefined)
      return new TransportError(this.host, { kind: 'shell', reason: said.trim() || 'it ended at once' });
    return this.#lost(during);
  }

  async #must(script: string, what: string, options: RunOptions): Promise<Buffer> {
    const result = await this.run(script, options);
    if (result.status === 0) return result.stdout;
    const said = result.stderr.toString('utf8').trim();
    throw new UserError(`${this.host}: cannot ${what}: ${said || `status ${result.status}`}`);
  }

  /**
   * By the fastest way there is. Not every sshd offers it (no sftp, one session a connection), and its errors tell
   * little (SFTP knows no "disk full"): what fails is sent once more through the shell, whose errors are the host's own.
   */
  async #sendLarge(content: Content, path: string, options: TransferOptions): Promise<void> {
    const become = this.#other(options.become);
    try {
      if (!become && this.#host.sendFile) await this.#host.sendFile(content, path);
      else await this.#sendThroughChannel(content, path, become);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (this.#host.lostReason() !== undefined || error instanceof LocalFileError) throw error;
      await this.#sendThroughShell(content, path, options);
    }
  }

  async #sendThroughChannel(content: Content, path: string, become: Become | undefined): Promise<void> {
    const channel = await openRawChannel({ ...this.#opening(), become }, `exec cat >${quote(path)}`);
    const finished = endOf(channel);
    try {
      for await (const { bytes } of piecesOf(content, IN_SHELL_LIMIT)) await channel.writeAndWait(bytes);
    } catch (error) {
      channel.destroy();
      throw error;
    }
    channel.end();
    const { status, stderr } = await finished;
    if (status !== 0) throw new UserError(`${this.host}: cannot ${WRITE_TEMPORARY}: ${stderr.trim()}`);
  }

  async #sendThroughShell(content: Content, path: string, options: TransferOptions): Promise<void> {
    await this.#must(`: >${quote(path)}`, WRITE_TEMPORARY, options);
    for await (const { bytes } of piecesOf(content, IN_SHELL_LIMIT))
      await this.#must(`cat >>${quote(path)}`, WRITE_TEMPORARY, { ...options, stdin: bytes });
  }
}

/** Sets `__f` to a new file that only its owner may read. Noclobber does not follow a link put there meanwhile. */
function makeFileScript(preferred: string | undefined): string {
  const anywhere = '__f=$(umask 077; mktemp "${TMPDIR:-/tmp}/understudy.XXXXXXXXXX") || exit';
  if (preferred === undefined) return anywhere;
  return [
    `__f=${quote(preferred)}`,
    `if ! ( umask 077; rm -f "$__f"; set -C; : >"$__f" ) 2>/dev/null; then ${anywhere}; fi`,
  ].join('\n');
}

async function endOf(channel: Channel): Promise<{ status: number | undefined; stderr: string }> {
  let stderr = '';
  channel.onStdout(() => {});
  channel.onStderr((chunk) => {
    stderr += chunk.toString('utf8');
  });
  return await new Promise((resolve) => channel.onClose((end) => resolve({ status: end.status, stderr })));
}
