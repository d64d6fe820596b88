import { readFile, rm } from 'node:fs/promises';
import { output, run } from '../../src/lib/process.ts';
import { waitFor } from '../lab/support/cli.ts';

const COMMENT = 'understudy test';

/** Exit status of userdel(8). */
const NO_SUCH_USER = 6;

/** Where the rights of a test's users are; the file goes with the user. */
export const sudoersOf = (user: string): string => `/etc/sudoers.d/understudy-${user}`;

/** Makes a user of this machine that belongs to this process, with a login password. */
export async function addUser(user: string, password: string): Promise<void> {
  await output(['useradd', '-m', '-s', '/bin/sh', '-c', `${COMMENT} ${process.pid}`, user]);
  await output(['chpasswd'], { input: `${user}:${password}\n` });
}

/**
 * Removes a user and its rights. `userdel` refuses while the user still runs something, and sshd and the shells
 * of a connection that was closed end in their own time.
 */
export async function removeUser(user: string): Promise<void> {
  await rm(sudoersOf(user), { force: true });
  await waitFor(`userdel ${user}`, async () => {
    const { status, stderr } = await run(['userdel', '-r', user]);
    if (status !== 0 && status !== NO_SUCH_USER) throw new Error(`status ${status}: ${stderr.trim()}`);
    return true;
  });
}

/** The users of tests that were killed before they could remove them. */
export async function abandonedUsers(): Promise<string[]> {
  const users: string[] = [];
  for (const line of (await readFile('/etc/passwd', 'utf8')).split('\n')) {
    const [user = '', , , , comment = ''] = line.split(':');
    const pid = new RegExp(`^${COMMENT} (\\d+)$`).exec(comment)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) users.push(user);
  }
  return users;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
