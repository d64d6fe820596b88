import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { poll } from '../lib/async.ts';
import { UserError } from '../lib/errors.ts';
import { systemPath } from '../lib/system-path.ts';
import { system } from './system.ts';
import { isFrozen, isPopulated, killGroup, makeGroup, processesIn, until } from './cgroup.ts';
import {
  BACK_INTERFACE,
  backAddress,
  FRONT_INTERFACE,
  frontAddress,
  frontAddress6,
  type HostSpec,
  hostPaths,
  type LabNames,
  type LabNetwork,
  macAddress,
  portName,
} from './layout.ts';
import { unplug } from './network.ts';

export type HostState = 'stopped' | 'starting' | 'running' | 'frozen';

/** What a host needs to be started. */
export interface HostContext {
  readonly lab: string;
  readonly names: LabNames;
  readonly network: LabNetwork;
  /** The mount point of cgroup v2. */
  readonly cgroups: string;
  /** The base image's tree. */
  readonly base: string;
}

/*
 * A host is a small shell loop (its power supply), detached from the command that started it. The loop has a mount
 * namespace of its own, so the host's disk is mounted nowhere else and vanishes with it. Each boot has a network
 * namespace of its own with the cables plugged in anew, as a power cycle would leave it. systemd-nspawn ends with
 * 133 when the host rebooted itself.
 */
const POWER = `
echo 0 > "$CGROUP/loop/cgroup.procs" || exit 1
mkdir -p /run/systemd/nspawn
mount -t tmpfs -o mode=0755 tmpfs /run/systemd/nspawn || exit 1
mount -t overlay overlay -o "lowerdir=$BASE,upperdir=$UPPER,workdir=$WORK" "$ROOT" || exit 1
while :; do
  find "$CGROUP/boot" -mindepth 1 -depth -type d -exec rmdir {} +
  unshare --net sh -c "$BOOT" < /dev/null
  status=$?
  [ "$status" = 133 ] || break
done
exit "$status"
`;

const BOOT = `
echo 0 > "$CGROUP/boot/cgroup.procs" || exit 1
ip link set lo up
plug() {
  ip -n "$SWITCH" link delete "$3" 2> /dev/null
  ip link add "$1" address "$4" type veth peer name "$3" netns "$SWITCH" || exit 1
  ip -n "$SWITCH" link set "$3" master "$2" up || exit 1
  ip link set "$1" up
  ip address add "$5" dev "$1" || exit 1
}
plug ${BACK_INTERFACE} back "$BACK_PORT" "$BACK_MAC" "$BACK_ADDRESS"
[ -z "$FRONT_ADDRESS" ] || plug ${FRONT_INTERFACE} front "$FRONT_PORT" "$FRONT_MAC" "$FRONT_ADDRESS"
# A kernel may have no IPv6.
[ -z "$FRONT_ADDRESS6" ] || ip address add "$FRONT_ADDRESS6" dev ${FRONT_INTERFACE} nodad 2> /dev/null
ip route add default via "$GATEWAY"
export SYSTEMD_NSPAWN_API_VFS_WRITABLE=network SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
exec systemd-nspawn --quiet --boot --register=no --keep-unit --settings=no --link-journal=no --resolv-conf=off \\
  --timezone=off --machine="$HOST" --directory="$ROOT" \\
  --capability=CAP_NET_ADMIN,CAP_IPC_LOCK,CAP_SYS_RESOURCE,CAP_SYSLOG --drop-capability=CAP_SYS_TIME
`;

export function hostGroup(context: Pick<HostContext, 'names' | 'cgroups'>, host: string): string {
  return join(context.cgroups, context.names.cgroup, host);
}

/** What a host does now. */
export async function hostState(
  context: Pick<HostContext, 'names' | 'cgroups'>,
  host: string,
): Promise<HostState> {
  const group = hostGroup(context, host);
  if (!(await isPopulated(join(group, 'loop')))) return 'stopped';
  if (await isFrozen(join(group, 'boot'))) return 'frozen';
  return (await initProcess(context, host)) === undefined ? 'starting' : 'running';
}

/** Switches a host on. It keeps what is on its disk. Processes that an earlier run left are ended first. */
export async function startHost(context: HostContext, host: HostSpec): Promise<void> {
  const group = hostGroup(context, host.name);
  await killGroup(group);
  await unplug(context.names, host.name);
  for (const child of ['loop', 'boot']) await makeGroup(join(group, child));
  const paths = hostPaths(context.lab, host.name);
  await mkdir(paths.root, { recursive: true });
  // The kernel refuses a work directory that an overlay with other layers left.
  await rm(paths.work, { recursive: true, force: true });
  await mkdir(paths.work);
  const front = frontAddress(context.network, host);
  const front6 = frontAddress6(context.network, host);
  const log = openSync(paths.console, 'w');
  const child = spawn('unshare', ['--mount', '--propagation', 'slave', 'sh', '-c', POWER], {
    cwd: '/',
    detached: true,
    stdio: ['ignore', log, log],
    env: {
      PATH: systemPath(),
      BOOT,
      CGROUP: group,
      BASE: context.base,
      UPPER: paths.upper,
      WORK: paths.work,
      ROOT: paths.root,
      HOST: host.name,
      SWITCH: context.names.namespace,
      FRONT_PORT: portName(host.name, 'front'),
      BACK_PORT: portName(host.name, 'back'),
      FRONT_MAC: macAddress(context.lab, host.name, 'front'),
      BACK_MAC: macAddress(context.lab, host.name, 'back'),
      FRONT_ADDRESS: front === undefined ? '' : `${front}/24`,
      FRONT_ADDRESS6: front6 === undefined ? '' : `${front6}/64`,
      BACK_ADDRESS: `${backAddress(context.network, host)}/24`,
      GATEWAY: front === undefined ? context.network.backGateway : context.network.frontGateway,
    },
  });
  closeSync(log);
  child.on('error', () => {}); // It shows as a host that never comes up, with its console's last lines.
  child.unref();
}

/** Waits until a host's SSH server greets, asked from inside the host so that no network fault matters. */
export async function waitForSsh(context: HostContext, host: string, timeoutMs = 60_000): Promise<void> {
  const greet = 'exec 3<>/dev/tcp/127.0.0.1/22 && read -r -t 1 line <&3 && [[ $line == SSH-* ]]';
  const greets = async (): Promise<true | undefined> => {
    const init = await initProcess(context, host);
    if (init === undefined) return undefined;
    const probe = await system(['nsenter', '--target', String(init), '--net', 'bash', '-c', greet], {
      timeoutMs: 5000,
    });
    return probe.status === 0 || undefined;
  };
  if (!(await poll(greets, { everyMs: 100, withinMs: timeoutMs })))
    throw await didNotStart(context, host, timeoutMs);
}

/** Whether a host reaches the lab's package cache, asked from its place in the network and through the lab's firewall. */
export async function reachesPackageCache(context: HostContext, host: string): Promise<boolean> {
  const { hostname, port } = new URL(context.network.packageCache);
  const ask =
    `exec 3<>/dev/tcp/${hostname}/${port} && printf 'GET /statistics HTTP/1.0\\r\\n\\r\\n' >&3 && ` +
    'read -r -t 10 line <&3 && [[ $line == *" 200 "* ]]';
  const init = await initProcess(context, host);
  if (init === undefined) return false;
  const argv = ['nsenter', '--target', String(init), '--net', 'bash', '-c', ask];
  return (await system(argv, { timeoutMs: 15_000 })).status === 0;
}

/**
 * Cuts a host's power: the cables go first, so that its peers hear nothing of its death, then its first process is
 * killed, and with it all others. What was written but not synced survives, since the kernel below lives on.
 */
export async function killHost(context: HostContext, host: string): Promise<void> {
  await unplug(context.names, host);
  const init = await initProcess(context, host);
  if (init !== undefined) {
    try {
      process.kill(init, constants.signals.SIGKILL);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
  const group = hostGroup(context, host);
  // A frozen nspawn could not notice; and a host that is just starting has no first process yet.
  await writeFile(join(group, 'boot', 'cgroup.freeze'), '0').catch(() => {});
  if (init === undefined) await killGroup(group);
  await until(async () => !(await isPopulated(group)), `${host} to lose power`);
}

/*
 * nsenter stops itself when the program it runs is stopped. A host that shuts down stops, then kills every process in
 * it, and waits until all are reaped: a stopped nsenter would never reap its own. A shell that runs no jobs does.
 */
const REAPING = ['sh', '-c', '"$@"; exit "$?"', 'sh'];

/** The command line that runs `argv` as root in a host. A program that a signal ended gives 128 and the signal. */
export async function enterHost(
  context: Pick<HostContext, 'names' | 'cgroups'>,
  host: string,
  argv: readonly string[],
): Promise<readonly string[]> {
  const init = await initProcess(context, host);
  if (init === undefined) {
    throw new UserError({
      message: `${host} is not running`,
      hint: `provision lab start ${host}`,
    });
  }
  const environment = [
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'HOME=/root',
    'USER=root',
    'LANG=C.UTF-8',
    `TERM=${process.env['TERM'] ?? 'dumb'}`,
  ];
  const bounding = keptCapabilities(await readFile(`/proc/${init}/status`, 'utf8'));
  const namespaces = ['--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup'];
  const limit = ['setpriv', '--bounding-set', bounding];
  const enter = ['nsenter', '--no-fork', '--target', String(init), ...namespaces, '--'];
  return [...limit, ...enter, 'env', '-i', '--chdir=/', ...environment, ...REAPING, ...argv];
}

/**
 * The capabilities that the host's own root has, for `setpriv --bounding-set`, read from the text of its first
 * process's /proc/PID/status. Entering namespaces alone keeps all of this machine's root's, among them the clock's.
 */
export function keptCapabilities(processStatus: string): string {
  const mask = /^CapBnd:\t([0-9a-f]{16})$/m.exec(processStatus)?.[1];
  if (mask === undefined) throw new Error('the kernel does not tell the capabilities of a process');
  const bits = BigInt(`0x${mask}`);
  const kept = Array.from({ length: 64 }, (_, bit) => bit).filter((bit) => (bits >> BigInt(bit)) & 1n);
  return ['-all', ...kept.map((bit) => `+cap_${bit}`)].join(',');
}

/** The host's first process, as this machine numbers it: the one that is 1 in a PID namespace of its own. */
export async function initProcess(
  context: Pick<HostContext, 'names' | 'cgroups'>,
  host: string,
): Promise<number | undefined> {
  const boot = join(hostGroup(context, host), 'boot');
  for (const pid of await processesIn(boot)) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    if (/^NSpid:\t\d+\t1$/m.test(status)) return pid;
  }
  return undefined;
}

async function didNotStart(context: HostContext, host: string, timeoutMs: number): Promise<UserError> {
  const log = await readFile(hostPaths(context.lab, host).console, 'utf8').catch(() => '');
  const tail = log.trim().split('\n').slice(-15).join('\n');
  return new UserError({
    message: `${host} did not start within ${timeoutMs / 1000} s; the end of its console:\n${tail}`,
    hint: `the whole console is in ${hostPaths(context.lab, host).console}`,
  });
}
