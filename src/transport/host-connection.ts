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
  const shells = new Map<string, Promise<RemoteShell>>();
  let closed = false;

  const ended = (during: string, said: string | undefined) => {
    const reason = host.lostReason();
    if (reason === undefined && said !== undefined) {
      return new TransportError(host.name, { kind: 'shell', reason: said.trim() || 'it ended at once' });
    }
    return new TransportError(host.name, {
      kind: 'lost',
      during,
      reason: reason ?? 'the shell on the host ended, though the connection stands',
    });
  };

  /** Reapers have shells of their own: the one to help is busy. */
  const shell = async (become: Become | undefined, role: 'work' | 'reap' = 'work'): Promise<RemoteShell> => {
    if (closed) throw new TransportError(host.name, { kind: 'lost', reason: 'it was closed here' });
    const other = become && become.user !== host.user ? become : undefined;
    const key = `${role} ${becomeKey(other)}`;
    const existing = shells.get(key);
    if (existing) {
      const ready = await existing;
      if (!ready.closed) return ready;
      const reason = host.lostReason();
      if (reason !== undefined) throw new TransportError(host.name, { kind: 'lost', reason });
      if (shells.get(key) === existing) shells.delete(key);
      return await shell(become, role);
    }
    const starting = openShellChannel({
      host: host.name,
      open: host.open,
      become: other,
      timeoutMs: host.sudoTimeoutMs,
    }).then((channel) =>
      remoteShell(channel, {
        ended,
        reap: async (pid) => {
          const reaper = await shell(become, 'reap');
          await reaper.run(`__reap ${pid} ''`);
        },
      }),
    );
    shells.set(key, starting);
    // A refusal is not remembered: the next run may bring the right password.
    starting.catch(() => shells.delete(key));
    return await starting;
  };

  const run = async (script: string, options: RunOptions = {}): Promise<ScriptResult> => {
    options.signal?.throwIfAborted();
    const { stdin } = options;
    if (stdin === undefined || stdin.length <= IN_SHELL_LIMIT) {
      return await (await shell(options.become)).run(script, options);
    }
    const path = await upload(stdin, { become: options.become, signal: options.signal });
    const { stdin: _large, ...rest } = options;
    return await (
      await shell(options.become)
    ).run(`exec <${quote(path)}; rm -f ${quote(path)}\n${script}`, rest);
  };

  const must = async (script: string, what: string, options: RunOptions): Promise<Buffer> => {
    const result = await run(script, options);
    if (result.status === 0) return result.stdout;
    const said = result.stderr.toString('utf8').trim();
    throw new UserError(`${host.name}: cannot ${what}: ${said || `status ${result.status}`}`);
  };

  const upload = async (content: Content, options: UploadOptions = {}): Promise<string> => {
    const size = await sizeOf(content);
    const makeFile = makeFileScript(options.preferred);
    if (size <= IN_SHELL_LIMIT) {
      const stdin = await wholeOf(content);
      const script = `${makeFile}\ncat >"$__f" || { rm -f "$__f"; exit 1; }\nprintf %s "$__f"`;
      return (await must(script, WRITE_TEMPORARY, { ...options, stdin })).toString('utf8');
    }
    const path = (await must(`${makeFile}\nprintf %s "$__f"`, WRITE_TEMPORARY, options)).toString('utf8');
    try {
      await sendLarge(content, path, options);
    } catch (error) {
      const reason = host.lostReason();
      if (reason === undefined) await run(`rm -f ${quote(path)}`, { become: options.become });
      else throw new TransportError(host.name, { kind: 'lost', during: 'while a file was sent', reason });
      throw error;
    }
    return path;
  };

  /**
   * By the fastest way there is. Not every sshd offers it (no sftp, one session a connection), and its errors tell
   * little (SFTP knows no "disk full"): what fails is sent once more through the shell, whose errors are the host's own.
   */
  const sendLarge = async (content: Content, path: string, options: TransferOptions): Promise<void> => {
    const become = options.become && options.become.user !== host.user ? options.become : undefined;
    try {
      if (!become && host.sendFile) await host.sendFile(content, path);
      else await sendThroughChannel(content, path, become);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (host.lostReason() !== undefined || error instanceof LocalFileError) throw error;
      await sendThroughShell(content, path, options);
    }
  };

  const sendThroughChannel = async (
    content: Content,
    path: string,
    become: Become | undefined,
  ): Promise<void> => {
    const channel = await openRawChannel(
      { host: host.name, open: host.open, become, timeoutMs: host.sudoTimeoutMs },
      `exec cat >${quote(path)}`,
    );
    const finished = endOf(channel);
    try {
      for await (const { bytes } of piecesOf(content, IN_SHELL_LIMIT)) await channel.writeAndWait(bytes);
    } catch (error) {
      channel.destroy();
      throw error;
    }
    channel.end();
    const { status, stderr } = await finished;
    if (status !== 0) throw new UserError(`${host.name}: cannot ${WRITE_TEMPORARY}: ${stderr.trim()}`);
  };

  const sendThroughShell = async (
    content: Content,
    path: string,
    options: TransferOptions,
  ): Promise<void> => {
    await must(`: >${quote(path)}`, WRITE_TEMPORARY, options);
    for await (const { bytes } of piecesOf(content, IN_SHELL_LIMIT))
      await must(`cat >>${quote(path)}`, WRITE_TEMPORARY, { ...options, stdin: bytes });
  };

  return {
    host: host.name,
    run,
    upload,
    download: async (remotePath, options = {}) =>
      await must(`cat -- ${quote(remotePath)}`, `read ${remotePath}`, options),
    async forward(address, port) {
      try {
        return await host.dial(address, port);
      } catch (error) {
        const reason = host.lostReason();
        if (reason !== undefined)
          throw new TransportError(host.name, { kind: 'lost', reason }, { cause: error });
        if (!isProhibited(error)) throw forwardError(error, address, port);
      }
      const shell = { host: host.name, open: host.open, timeoutMs: host.sudoTimeoutMs };
      return await forwardByShell(shell, address, port);
    },
    async close() {
      if (closed) return;
      closed = true;
      for (const starting of shells.values()) {
        starting.then(
          (one) => one.close(),
          () => {},
        );
      }
      await host.release();
    },
    get closed() {
      return closed || host.lostReason() !== undefined;
    },
  };
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
