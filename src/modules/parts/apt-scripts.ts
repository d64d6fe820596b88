import { APT_LISTS_TIME } from '../../facts/apt-lists.ts';
import { command, quote } from '../../lib/shell.ts';

/** What all calls of apt-get share. */
export interface AptOptions {
  readonly dpkgOptions: readonly string[];
  readonly lockTimeout: number;
  readonly policyRcD?: number | undefined;
}

const ENVIRONMENT = 'export DEBIAN_FRONTEND=noninteractive DEBIAN_PRIORITY=critical LC_ALL=C';

/** The line that tells our own policy-rc.d from the target's, so that an interrupted run's is taken away. */
const POLICY_MARK = '# of a package installation that is under way';

/** The words of an apt-get call; it waits for others that hold the lock. */
export function aptGet(options: AptOptions, ...words: readonly string[]): string {
  return command([
    'apt-get',
    '-y',
    '-q',
    '-o',
    'Dpkg::Use-Pty=0',
    '-o',
    `DPkg::Lock::Timeout=${options.lockTimeout}`,
    ...options.dpkgOptions.flatMap((option) => ['-o', `Dpkg::Options::=--${option}`]),
    ...words,
  ]);
}

/**
 * A script that changes packages. A database that an interrupted run left half configured is put right first:
 * apt-get refuses to work on it otherwise.
 */
export function aptScript(options: AptOptions, lines: readonly string[]): string {
  const configure = command([
    'dpkg',
    ...options.dpkgOptions.map((option) => `--${option}`),
    '--configure',
    '-a',
  ]);
  return [
    ENVIRONMENT,
    ...policy(options.policyRcD),
    'if [ -n "$(dpkg --audit 2>/dev/null)" ] || [ -n "$(ls -A /var/lib/dpkg/updates 2>/dev/null)" ]; then',
    `  left=${options.lockTimeout}`,
    `  until out=$(${configure} 2>&1); do`,
    // Somebody else may be at work right now: then it is not broken, only busy.
    `    case $out in *lock*) [ "$left" -gt 0 ] || { printf '%s\\n' "$out" >&2; exit 1; } ;; *) break ;; esac`,
    '    left=$((left - 1)); sleep 1',
    '  done',
    '  printf \'%s\\n\' "$out"',
    'fi',
    'set -e',
    ...lines,
  ].join('\n');
}

/** Keeps services from being started while packages are installed, and puts back what was there. */
function policy(status: number | undefined): string[] {
  const file = '/usr/sbin/policy-rc.d';
  const restore = [
    `restore() { if grep -qxF ${quote(POLICY_MARK)} ${file} 2>/dev/null; then`,
    `if [ -e ${file}.understudy ]; then mv -f ${file}.understudy ${file}; else rm -f ${file}; fi; fi; }`,
    'restore',
  ];
  if (status === undefined) return restore;
  return [
    ...restore,
    'trap restore EXIT; trap "exit 130" INT TERM HUP',
    `if [ -e ${file} ]; then cp -p ${file} ${file}.understudy || exit; fi`,
    `printf '#!/bin/sh\\n%s\\nexit %s\\n' ${quote(POLICY_MARK)} ${status} > ${file} && chmod 0755 ${file} || exit`,
  ];
}

/** Fetches the package lists, again after a while when that fails, and says when they were fetched before and now. */
export function updateScript(lockTimeout: number, retries: number, maximumDelay: number): string {
  return [
    ENVIRONMENT,
    APT_LISTS_TIME,
    'before=$(lists_time)',
    `retries=${retries}; left=${lockTimeout}; delay=1`,
    `until out=$(apt-get -q -o APT::Update::Error-Mode=any -o DPkg::Lock::Timeout=${lockTimeout} update 2>&1); do`,
    '  case $out in',
    '  *"Could not get lock"*) left=$((left - 1)); wait=1; [ "$left" -gt 0 ] || wait= ;;',
    `  *) retries=$((retries - 1)); wait=$delay; delay=$((delay * 2)); [ "$delay" -le ${maximumDelay} ] || delay=${maximumDelay}; [ "$retries" -gt 0 ] || wait= ;;`,
    '  esac',
    '  [ -n "$wait" ] || { printf \'Failed to update apt cache:\\n%s\\n\' "$out" >&2; exit 1; }',
    '  sleep "$wait"',
    'done',
    `printf '%s %s\\n' "$before" "$(lists_time)"`,
  ].join('\n');
}
