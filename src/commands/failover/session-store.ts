import { readMember, silentMember, type StoreMember } from '../../session-store/member.ts';
import { primariesOf, type StoreProblem } from '../../session-store/problems.ts';
import { UserError } from '../../lib/errors.ts';
import type { Palette } from '../../report/palette.ts';
import { type Opened, reopened } from '../../transport/reopened.ts';
import type { Session } from './session.ts';
import { table } from './topology-text.ts';

const PROGRAM = '/usr/local/sbin/session-store status';
const PATIENCE_MS = 10_000;

/** Asks every member of the store, over the operator's own SSH; undefined: there is no store, or no way to it. */
export function storeReader({
  sessionStore,
  shell,
}: Pick<Session, 'sessionStore' | 'shell'>): (() => Promise<readonly StoreMember[]>) | undefined {
  if (sessionStore.length === 0 || shell === undefined) return undefined;
  const ways = sessionStore.map((member) => ({
    ...member,
    open: reopened(async () => await shell(member.host)),
  }));
  return async () =>
    await Promise.all(ways.map(async ({ host, address, open }) => await ask(host, address, open)));
}

async function ask(host: string, address: string, open: () => Promise<Opened>): Promise<StoreMember> {
  try {
    const { connection, become } = await open();
    const { status, stdout, stderr } = await connection.run(PROGRAM, { become, timeoutMs: PATIENCE_MS });
    if (status === 0) return readMember(host, address, stdout.toString());
    return silentMember(host, address, `session-store: ${stderr.toString().trim() || `exit code ${status}`}`);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return silentMember(host, address, error.message);
  }
}

/** The store below the database: who has the primary, who follows, and what is wrong. */
export function storeText(
  members: readonly StoreMember[],
  problems: readonly StoreProblem[],
  styles: Palette,
): string {
  const primaries = primariesOf(members);
  const headline =
    primaries.length === 1
      ? `primary ${styles.strong(primaries[0]?.host ?? '')}`
      : styles.failed(primaries.length === 0 ? 'no primary' : 'several primaries');
  const followers = primaries.flatMap(({ server }) => server?.followers ?? []);
  const rows = members.map(({ host, address, silence, server, sentinel }) => {
    if (silence !== undefined) return [host, '', styles.failed(`silent: ${silence}`)];
    const follower = followers.find((one) => one.address === address);
    const lag =
      follower &&
      `lag ${follower.lagSeconds} s${follower.behind > 0 ? `, ${follower.behind} bytes behind` : ''}`;
    const what =
      server === undefined
        ? styles.failed('Valkey does not answer')
        : server.role === 'primary'
          ? `${Math.round(server.usedBytes / 1048576)} MB used`
          : server.follows?.isUp
            ? (lag ?? styles.changed('its primary does not know it'))
            : styles.failed('not connected');
    const watch =
      sentinel === undefined
        ? styles.failed('no Sentinel')
        : sentinel.hasQuorum
          ? `Sentinel knows ${sentinel.others} others`
          : styles.failed('Sentinel without a quorum');
    return [host, server?.role ?? '', what, watch];
  });
  const lines = [`${styles.strong('sessions')}: ${headline}`, '', ...table(rows)];
  for (const { severity, code, host, message, remedy } of problems) {
    const paint = severity === 'critical' ? styles.failed : styles.changed;
    lines.push(
      `${paint(`${severity.padEnd(8)} ${code}`)}  ${host === undefined ? '' : `${host}: `}${message}`,
      `         → ${remedy}`,
    );
  }
  return `${lines.join('\n')}\n`;
}
