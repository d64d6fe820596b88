import type { Become, Connection } from '../../transport/transport.ts';

/** One finding about a host: what was looked at, what was found, and what to do when it is in the way. */
export interface Finding {
  readonly subject: string;
  readonly status: 'ok' | 'warning' | 'problem';
  readonly found: string;
  readonly remedy?: string;
}

/** What a host says of itself, in one round trip: lines of `name=value`. */
export const VITALS_SCRIPT = `
. /etc/os-release 2>/dev/null || :
printf 'os=%s\\n' "$ID"
printf 'osVersion=%s\\n' "$VERSION_ID"
printf 'osName=%s\\n' "$PRETTY_NAME"
printf 'uid=%s\\n' "$(id -u)"
printf 'init=%s\\n' "$(cat /proc/1/comm)"
printf 'clock=%s\\n' "$(date +%s.%N)"
for us_dir in / /var /tmp; do printf 'free %s=%s\\n' "$us_dir" "$(df -Pk "$us_dir" | awk 'NR == 2 { print $4 }')"; done
printf 'memory=%s\\n' "$(awk '/^MemTotal/ { print $2 }' /proc/meminfo)"
printf 'architecture=%s\\n' "$(uname -m)"
printf 'broken=%s\\n' "$(dpkg --audit 2>/dev/null | wc -l)"
command -v python3 >/dev/null && echo python=yes || echo python=no
command -v apt-get >/dev/null && echo apt=yes || echo apt=no
`;

export function parseVitals(text: string): ReadonlyMap<string, string> {
  return new Map(
    text
      .split('\n')
      .filter((line) => line.includes('='))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const),
  );
}

const GIB = 1024 * 1024;
/** Packages, the database and its binary logs of the sample site need about this much. */
const NEEDED_KIB = 3 * GIB;
const SUPPORTED: Readonly<Record<string, readonly string[]>> = {
  debian: ['12', '13'],
  ubuntu: ['22.04', '24.04', '26.04'],
};

/** What the vitals mean for a run. `skewSeconds` is how far the host's clock is ahead of ours. */
export function judgeVitals(vitals: ReadonlyMap<string, string>, skewSeconds: number): readonly Finding[] {
  const get = (name: string): string => vitals.get(name) ?? '';
  const findings: Finding[] = [];

  const versions = SUPPORTED[get('os')];
  findings.push(
    versions?.includes(get('osVersion'))
      ? { subject: 'system', status: 'ok', found: get('osName') }
      : {
          subject: 'system',
          status: get('apt') === 'yes' ? 'warning' : 'problem',
          found: get('osName') || 'unknown',
          remedy: 'the playbooks of the site are written for Debian 13; others need apt at least',
        },
  );
  findings.push(
    get('init') === 'systemd'
      ? { subject: 'init', status: 'ok', found: 'systemd' }
      : {
          subject: 'init',
          status: 'problem',
          found: get('init'),
          remedy: 'services are managed through systemd',
        },
  );
  findings.push(
    get('uid') === '0'
      ? { subject: 'sudo', status: 'ok', found: 'works' }
      : {
          subject: 'sudo',
          status: 'problem',
          found: `became uid ${get('uid')}`,
          remedy: 'the login user needs sudo to root',
        },
  );
  const lowest = Math.min(...['/', '/var', '/tmp'].map((directory) => Number(get(`free ${directory}`))));
  const free = `${(lowest / GIB).toFixed(1)} GiB free`;
  findings.push(
    lowest >= NEEDED_KIB
      ? { subject: 'disk', status: 'ok', found: free }
      : {
          subject: 'disk',
          status: lowest < NEEDED_KIB / 3 ? 'problem' : 'warning',
          found: free,
          remedy: 'the site wants 3 GiB on /, /var and /tmp',
        },
  );
  const memory = Number(get('memory'));
  findings.push({
    subject: 'memory',
    status: memory >= 0.9 * GIB ? 'ok' : 'warning',
    found: `${(memory / GIB).toFixed(1)} GiB`,
    ...(memory >= 0.9 * GIB ? {} : { remedy: 'a server with the database wants 1 GiB' }),
  });
  const skew = `${skewSeconds >= 0 ? '+' : '-'}${Math.abs(skewSeconds).toFixed(1)} s`;
  findings.push(
    Math.abs(skewSeconds) < 2
      ? { subject: 'clock', status: 'ok', found: skew }
      : {
          subject: 'clock',
          status: Math.abs(skewSeconds) > 60 ? 'problem' : 'warning',
          found: skew,
          remedy: 'package signatures and TLS need the right time: set it, or start time synchronisation',
        },
  );
  if (get('broken') !== '0' && get('broken') !== '') {
    findings.push({
      subject: 'packages',
      status: 'warning',
      found: 'dpkg was interrupted',
      remedy: 'the next run repairs it (dpkg --configure -a)',
    });
  }
  return findings;
}

/** Looks a connected host over. */
export async function checkUp(connection: Connection, become: Become): Promise<readonly Finding[]> {
  const before = Date.now() / 1000;
  const result = await connection.run(VITALS_SCRIPT, { become });
  const after = Date.now() / 1000;
  const vitals = parseVitals(result.stdout.toString());
  const clock = Number(vitals.get('clock'));
  // The host read its clock somewhere between our two readings.
  const skew = clock < before ? clock - before : clock > after ? clock - after : 0;
  return judgeVitals(vitals, skew);
}
