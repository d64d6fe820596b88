import { spawn } from 'node:child_process';
import { Duplex } from 'node:stream';

import { userEnvironment } from '../lib/system-path.ts';

/** Enough of what a command said to tell why it failed. */
const LONGEST_COMPLAINT = 2000;

/**
 * The standard streams of a command that leads to a host, run by the user's shell as OpenSSH's ProxyCommand is. The
 * stream fails when the command does; when the stream is destroyed, the command and all it started are ended.
 */
export function dialByCommand(commandLine: string): Duplex {
  // A group of its own: a relay is often a pipeline, of which the shell is only one process.
  const child = spawn(process.env['SHELL'] ?? '/bin/sh', ['-c', `exec ${commandLine}`], {
    stdio: 'pipe',
    detached: true,
    env: userEnvironment(),
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-LONGEST_COMPLAINT);
  });
  const stream = new Duplex({
    read() {
      child.stdout.resume();
    },
    write(chunk: Buffer, _encoding, done) {
      child.stdin.write(chunk, done);
    },
    final(done) {
      child.stdin.end(done);
    },
    destroy(error, done) {
      // Later the number may be another group's.
      if (child.exitCode === null && child.signalCode === null) endGroup(child.pid);
      child.stdin.destroy();
      child.stdout.destroy();
      child.stderr.destroy();
      done(error);
    },
  });
  child.stdout.on('data', (chunk: Buffer) => {
    if (!stream.push(chunk)) child.stdout.pause();
  });
  // That a command has stopped to read is told by its end, which says why.
  child.stdin.on('error', () => {});
  child.on('error', (error) => stream.destroy(error));
  // What it has left in the background would keep its pipes, and so this connection, open.
  child.on('exit', () => endGroup(child.pid));
  child.on('close', (code, signal) => {
    if (code === 0) stream.push(null);
    else stream.destroy(new Error(ending(code, signal, complaint)));
  });
  return stream;
}

function ending(code: number | null, signal: string | null, complaint: string): string {
  const how = code === null ? `was ended by ${signal ?? 'a signal'}` : `ended with status ${code}`;
  const last = complaint.trimEnd().split('\n').at(-1) ?? '';
  return `the ProxyCommand ${how}${last === '' ? '' : `: ${last}`}`;
}

function endGroup(group: number | undefined): void {
  if (group === undefined) return;
  try {
    process.kill(-group, 'SIGTERM');
  } catch (error) {
    // All of it has ended already.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
