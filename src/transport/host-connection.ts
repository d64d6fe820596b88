import { openAsBlob } from 'node:fs';
import { stat, readFile } from 'node:fs/promises';
import type { Duplex } from 'node:stream';

import { UserError } from '../lib/errors.ts';
import { quote } from '../lib/shell.ts';
import type { Channel, OpenChannel } from './channel.ts';
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
  TransportError,
} from './transport.ts';

/** Above this, bytes take a channel of their own: quoted, they would have to fit in the shell's memory. */
const IN_SHELL_LIMIT = 512 * 1024;

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

  const upload = async (content: Content, options: TransferOptions = {}): Promise<string> => {
    const size = Buffer.isBuffer(content) ? content.length : (await stat(content.localFile)).size;
    const makeFile = '__f=$(umask 077; mktemp "${TMPDIR:-/tmp}/understudy.XXXXXXXXXX") || exit';
    const temporary = 'write a temporary file';
    if (size <= IN_SHELL_LIMIT) {
      const stdin = Buffer.isBuffer(content) ? content : await readFile(content.localFile);
      const script = `${makeFile}\ncat >"$__f" || { rm -f "$__f"; exit 1; }\nprintf %s "$__f"`;
      return (await must(script, temporary, { ...options, stdin })).toString('utf8');
    }
    const path = (await must(`${makeFile}\nprintf %s "$__f"`, temporary, options)).toString('utf8');
    try {
      await sendLarge(content, path, options);
    } catch (error) {
      if (host.lostReason() === undefined) await run(`rm -f ${quote(path)}`, { become: options.become });
      throw error;
    }
    return path;
  };

  const sendLarge = async (content: Content, path: string, options: TransferOptions): Promise<void> => {
    const become = options.become && options.become.user !== host.user ? options.become : undefined;
    if (!become && host.sendFile) return await host.sendFile(content, path);
    const channel = await openRawChannel(
      { host: host.name, open: host.open, become, timeoutMs: host.sudoTimeoutMs },
      `exec cat >${quote(path)}`,
    );
    const finished = endOf(channel);
    await pour(content, channel);
    channel.end();
    const { status, stderr } = await finished;
    if (status !== 0)
      throw ended('while a file was sent', host.lostReason() === undefined ? stderr : undefined);
    return undefined;
  };

  return {
    host: host.name,
    run,
    upload,
    download: async (remotePath, options = {}) =>
      await must(`cat -- ${quote(remotePath)}`, `read ${remotePath}`, options),
    forward: host.dial,
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

async function pour(content: Content, channel: Channel): Promise<void> {
  if (Buffer.isBuffer(content)) {
    channel.write(content);
    return;
  }
  const blob = await openAsBlob(content.localFile);
  for await (const chunk of blob.stream()) await channel.writeAndWait(Buffer.from(chunk));
}

async function endOf(channel: Channel): Promise<{ status: number | undefined; stderr: string }> {
  let stderr = '';
  channel.onStdout(() => {});
  channel.onStderr((chunk) => {
    stderr += chunk.toString('utf8');
  });
  return await new Promise((resolve) => channel.onClose((end) => resolve({ status: end.status, stderr })));
}
