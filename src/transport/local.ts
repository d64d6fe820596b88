import { spawn } from 'node:child_process';
import { copyFile, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { userInfo } from 'node:os';

import { userEnvironment } from '../lib/system-path.ts';
import { type Channel, processChannel } from './channel.ts';
import { hostConnection } from './host-connection.ts';
import type { Connection, Transport } from './transport.ts';

export interface LocalTransportOptions {
  /** The environment of the scripts, instead of the user's own. */
  readonly env?: NodeJS.ProcessEnv | undefined;
}

/** Works on this machine, by the same protocol: for `connection: local` and `delegate_to: localhost`. */
export function localTransport(options: LocalTransportOptions = {}): Transport {
  const connections = new Set<Connection>();
  return {
    // oxlint-disable-next-line require-await -- the interface is asynchronous
    async connect(host) {
      let released = false;
      const channels = new Set<Channel>();
      const connection = hostConnection({
        name: host.name,
        user: userInfo().username,
        sudoTimeoutMs: host.connectTimeoutMs ?? 20_000,
        lostReason: () => (released ? 'it was closed here' : undefined),
        // oxlint-disable-next-line require-await -- the interface is asynchronous
        open: async (commandLine) => {
          const channel = processChannel(
            spawn('/bin/sh', ['-c', commandLine], {
              detached: true,
              stdio: 'pipe',
              env: options.env ?? userEnvironment(),
            }),
          );
          channels.add(channel);
          return channel;
        },
        sendFile: async (content, path) => {
          if (Buffer.isBuffer(content)) await writeFile(path, content);
          else await copyFile(content.localFile, path);
        },
        dial: async (address, port) =>
          await new Promise((resolve, reject) => {
            const socket = createConnection(port, address, () => {
              socket.off('error', reject);
              resolve(socket);
            });
            socket.once('error', reject);
          }),
        // oxlint-disable-next-line require-await -- the interface is asynchronous
        release: async () => {
          released = true;
          for (const channel of channels) channel.end();
          connections.delete(connection);
        },
      });
      connections.add(connection);
      return connection;
    },
    async close() {
      await Promise.all([...connections].map((connection) => connection.close()));
    },
  };
}
