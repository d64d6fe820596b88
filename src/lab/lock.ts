import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

import { sleep } from '../lib/async.ts';

/**
 * Runs `work` while no other process on this machine runs with the same lock. The lock is an abstract Unix socket:
 * the kernel gives it up when its owner dies, however it dies, so a stale lock cannot exist. Whoever waits connects
 * to it, learns the owner's process id, and tries again when the connection closes.
 */
export async function withLock<T>(
  name: string,
  waiting: (owner: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  const path = `\0understudy-lock-${name}`;
  let told = false;
  let server: Server | undefined;
  while (!server) {
    server = await tryListen(path);
    if (server) break;
    const owner = await ownerOf(path, (pid) => {
      if (!told) waiting(pid);
      told = true;
    });
    // A lock that is free by now is tried again at once; one that cannot be asked, a little later.
    if (owner === 'unknown') await sleep(50);
  }
  try {
    return await work();
  } finally {
    await release(server);
  }
}

const connections = new WeakMap<Server, Set<Socket>>();

async function tryListen(path: string): Promise<Server | undefined> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    socket.write(`${process.pid}\n`);
  });
  server.listen(path);
  try {
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    throw error;
  }
  connections.set(server, sockets);
  return server;
}

function ownerOf(path: string, told: (owner: string) => void): Promise<'known' | 'unknown'> {
  return new Promise((resolve) => {
    let known = false;
    const socket = createConnection(path);
    socket.on('data', (data: Buffer) => {
      known = true;
      told(data.toString('utf8').trim());
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(known ? 'known' : 'unknown'));
  });
}

async function release(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  for (const socket of connections.get(server) ?? []) socket.destroy();
  await closed;
}
