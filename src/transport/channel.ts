import type { ChildProcess } from 'node:child_process';
import type { Writable } from 'node:stream';
import type { ClientChannel } from 'ssh2';

/** How the command of a channel ended. */
export interface ChannelEnd {
  readonly status: number | undefined;
  readonly signal?: string | undefined;
}

/** A command with its three streams, on this machine or another. One listener a stream. */
export interface Channel {
  write(data: string | Buffer): void;
  /** Waits until the other side has room, so that a large file is not held in memory. */
  writeAndWait(data: Buffer): Promise<void>;
  /** Ends stdin. */
  end(): void;
  destroy(): void;
  onStdout(listener: (chunk: Buffer) => void): void;
  onStderr(listener: (chunk: Buffer) => void): void;
  onClose(listener: (end: ChannelEnd) => void): void;
}

/** Starts a command line (for the user's login shell) and gives its streams. */
export type OpenChannel = (commandLine: string) => Promise<Channel>;

/** A channel of an SSH connection. */
export function sshChannel(channel: ClientChannel): Channel {
  const streams = buffered();
  let end: ChannelEnd = { status: undefined };
  channel.on('data', streams.stdout);
  channel.stderr.on('data', streams.stderr);
  channel.on('exit', (status: number | null, signal?: string) => {
    end = { status: status ?? undefined, signal };
  });
  channel.on('error', () => {});
  channel.on('close', () => streams.close(end));
  return {
    write: (data) => void channel.write(data),
    writeAndWait: async (data) => await writeTo(channel, data),
    end: () => void channel.end(),
    destroy: () => void channel.destroy(),
    ...streams.listen,
  };
}

/** A process on this machine. It leads a session of its own, as a command started by sshd does. */
export function processChannel(child: ChildProcess): Channel {
  const streams = buffered();
  child.stdout?.on('data', streams.stdout);
  child.stderr?.on('data', streams.stderr);
  child.stdin?.on('error', () => {});
  child.on('error', () => streams.close({ status: 127 }));
  child.on('close', (status, signal) =>
    streams.close({ status: status ?? undefined, signal: signal ?? undefined }),
  );
  return {
    write: (data) => void child.stdin?.write(data),
    writeAndWait: async (data) => await writeTo(child.stdin, data),
    end: () => void child.stdin?.end(),
    destroy: () => {
      child.stdin?.destroy();
      child.stdout?.destroy();
      child.stderr?.destroy();
    },
    ...streams.listen,
  };
}

/** A closed stream takes the data too: that the command has ended is told by `onClose`. */
async function writeTo(stream: Writable | null, data: Buffer): Promise<void> {
  await new Promise<void>((resolve) => {
    if (!stream || stream.destroyed || stream.writableEnded || stream.write(data)) return resolve();
    const done = () => {
      stream.off('drain', done).off('close', done).off('error', done);
      resolve();
    };
    stream.on('drain', done).on('close', done).on('error', done);
  });
}

/** Keeps what comes before there is a listener, and changes listeners without losing a chunk. */
function buffered() {
  const stdout = relay<Buffer>();
  const stderr = relay<Buffer>();
  const end = relay<ChannelEnd>();
  return {
    stdout: stdout.send,
    stderr: stderr.send,
    close: end.send,
    listen: { onStdout: stdout.listen, onStderr: stderr.listen, onClose: end.listen },
  };
}

/** Hands values on to one listener at a time, and keeps those that come while there is none. */
export function relay<T>() {
  let waiting: T[] = [];
  let listener: ((value: T) => void) | undefined;
  return {
    send: (value: T) => {
      if (listener) listener(value);
      else waiting.push(value);
    },
    listen: (next: (value: T) => void) => {
      listener = next;
      const early = waiting;
      waiting = [];
      for (const value of early) next(value);
    },
  };
}
