import { command } from '../../lib/shell.ts';
import { type Site, specOf } from './ground.ts';
import { service } from './look.ts';

/** The faults of one instance or its machine. */
export type FaultName =
  | 'kill'
  | 'stop'
  | 'hang'
  | 'cut'
  | 'replication-cut'
  | 'power'
  | 'freeze'
  | 'isolate'
  | 'full-disk'
  | 'stalled-disk';

/** A fault and its end. Both may be repeated. */
export interface Fault {
  readonly name: FaultName;
  /** Describes the fault in a sentence. */
  readonly description: string;
  /** Only a lab can do it. */
  readonly needsLab: boolean;
  /** Slow preparations that interrupt nobody, done before the exercise. */
  prepare?(site: Site, instance: string): Promise<void>;
  cause(site: Site, instance: string): Promise<void>;
  /** Ends the fault. The instance may stay stopped or fenced: the failover brings it back. */
  heal(site: Site, instance: string): Promise<void>;
  /** Undoes `prepare`, when the instance follows again. */
  restore?(site: Site, instance: string): Promise<void>;
}

const CHAIN = 'UNDERSTUDY-DRILL';
const FILLER = 'drill-filler';
/** Data of an empty instance, and room for the writes of a drill. */
const SMALL_DISK_MB = 900;
/** The same room, where the instance has written for long. */
const ROOM_MB = 400;

export const FAULTS: Readonly<Record<FaultName, Fault>> = {
  kill: {
    name: 'kill',
    description: 'mysqld is killed (kill -9); systemd starts it again, read-only',
    needsLab: false,
    cause: async (site, instance) => await signal(site, instance, 'KILL'),
    heal: async () => {},
  },
  stop: {
    name: 'stop',
    description: 'mysqld is stopped (systemctl stop)',
    needsLab: false,
    cause: async (site, instance) => {
      const { host } = specOf(site, instance);
      // The stop is not waited for, since commits of clients may wait for a replica.
      await site.ground.sh(host, `systemctl stop --no-block ${service(site)}`);
    },
    heal: async (site, instance) => {
      const { host } = specOf(site, instance);
      // A fenced server is masked; `failover rejoin` unmasks it.
      await site.ground.sh(host, `systemctl start --no-block ${service(site)} || :`);
    },
  },
  hang: {
    name: 'hang',
    description: 'mysqld hangs (kill -STOP): it accepts connections, and says nothing',
    needsLab: false,
    cause: async (site, instance) => await signal(site, instance, 'STOP'),
    heal: async (site, instance) => await signal(site, instance, 'CONT'),
  },
  cut: {
    name: 'cut',
    description: "the firewall drops all that comes to or from mysqld's port",
    needsLab: false,
    cause: async (site, instance) => {
      const { host, port } = specOf(site, instance);
      await site.ground.sh(
        host,
        drops([
          ['INPUT', '!', '-i', 'lo', '-p', 'tcp', '--dport', String(port)],
          ['OUTPUT', '!', '-o', 'lo', '-p', 'tcp', '--sport', String(port)],
        ]),
      );
    },
    heal: async (site, instance) => await removeDrops(site, instance),
  },
  'replication-cut': {
    name: 'replication-cut',
    description: 'it is cut from the other instances, and from nobody else',
    needsLab: false,
    cause: async (site, instance) => {
      const { host, port } = specOf(site, instance);
      const others = site.instances.filter((spec) => spec.name !== instance);
      // Both ways round: as the source of the others, and as the replica of one of them.
      await site.ground.sh(
        host,
        drops(
          others.flatMap(({ address, port: theirs }) => [
            ['INPUT', '-p', 'tcp', '-s', address, '--dport', String(port)],
            ['OUTPUT', '-p', 'tcp', '-d', address, '--sport', String(port)],
            ['INPUT', '-p', 'tcp', '-s', address, '--sport', String(theirs)],
            ['OUTPUT', '-p', 'tcp', '-d', address, '--dport', String(theirs)],
          ]),
        ),
      );
    },
    heal: async (site, instance) => await removeDrops(site, instance),
  },
  power: {
    name: 'power',
    description: 'the host loses its power',
    needsLab: true,
    cause: async (site, instance) => await labOf(site).cutPower(specOf(site, instance).host),
    heal: async (site, instance) => await labOf(site).powerOn(specOf(site, instance).host),
  },
  freeze: {
    name: 'freeze',
    description: 'the host hangs: its kernel answers, no process does',
    needsLab: true,
    cause: async (site, instance) => await labOf(site).freeze(specOf(site, instance).host),
    heal: async (site, instance) => await labOf(site).thaw(specOf(site, instance).host),
  },
  isolate: {
    name: 'isolate',
    description: 'the host is cut from everyone',
    needsLab: true,
    cause: async (site, instance) => await labOf(site).isolate(specOf(site, instance).host, []),
    heal: async (site) => await labOf(site).heal(),
  },
  'full-disk': {
    name: 'full-disk',
    description: 'the disk with the data is full',
    needsLab: true,
    prepare: giveDisk,
    cause: async (site, instance) => {
      const { host } = specOf(site, instance);
      // dd fails when the disk is full, as intended.
      await site.ground.sh(
        host,
        `dd if=/dev/zero of=${dataOf()}/${FILLER} bs=1M 2> /dev/null || :; sync -f ${dataOf()} || :`,
      );
    },
    heal: async (site, instance) => {
      await site.ground.sh(specOf(site, instance).host, `rm -f ${dataOf()}/${FILLER}`);
    },
    restore: takeDisk,
  },
  'stalled-disk': {
    name: 'stalled-disk',
    description: 'the disk with the data stands still: whoever writes to it waits',
    needsLab: true,
    prepare: giveDisk,
    cause: async (site, instance) => {
      await site.ground.sh(specOf(site, instance).host, `fsfreeze --freeze ${dataOf()}`);
    },
    heal: async (site, instance) => {
      await site.ground.sh(specOf(site, instance).host, `fsfreeze --unfreeze ${dataOf()} || :`);
    },
    restore: takeDisk,
  },
};

function labOf(site: Site): NonNullable<Site['ground']['lab']> {
  const { lab } = site.ground;
  if (!lab) throw new Error('only a lab can do this');
  return lab;
}

function dataOf(): string {
  return '/var/lib/mysql';
}

/** Restarting a replica for its disk disturbs nobody; restarting the primary would. */
async function giveDisk(site: Site, instance: string): Promise<void> {
  const { host } = specOf(site, instance);
  await site.ground.sh(host, `systemctl stop ${service(site)}`, { timeoutMs: 90_000 });
  const used = Number.parseInt(await site.ground.sh(host, `du -sm ${dataOf()}`), 10);
  await labOf(site).giveSmallDisk(host, dataOf(), Math.max(SMALL_DISK_MB, used + ROOM_MB));
  await site.ground.sh(host, `systemctl start ${service(site)}`, { timeoutMs: 90_000 });
}

async function takeDisk(site: Site, instance: string): Promise<void> {
  const { host } = specOf(site, instance);
  await site.ground.sh(host, `systemctl stop ${service(site)}`, { timeoutMs: 90_000 });
  await labOf(site).takeSmallDisk(host, dataOf());
  await site.ground.sh(host, `systemctl start ${service(site)}`, { timeoutMs: 90_000 });
}

/** Sends a signal to the unit's main process only, and to no other process of that name. */
async function signal(site: Site, instance: string, name: 'KILL' | 'STOP' | 'CONT'): Promise<void> {
  const { host } = specOf(site, instance);
  await site.ground.sh(
    host,
    `pid=$(systemctl show --property=MainPID --value ${service(site)}); [ "$pid" -gt 1 ] || exit 0; kill -s ${name} "$pid"`,
  );
}

/** Rules in a chain of our own, asked before all others and for open connections, too. */
function drops(rules: readonly (readonly string[])[]): string {
  return [
    'set -eu',
    ...['INPUT', 'OUTPUT'].flatMap((chain) => [
      `iptables -w 5 -N ${CHAIN}-${chain} 2> /dev/null || iptables -w 5 -F ${CHAIN}-${chain}`,
      `iptables -w 5 -C ${chain} -j ${CHAIN}-${chain} 2> /dev/null || iptables -w 5 -I ${chain} 1 -j ${CHAIN}-${chain}`,
    ]),
    ...rules.map(([chain = '', ...rule]) =>
      command(['iptables', '-w', '5', '-A', `${CHAIN}-${chain}`, ...rule, '-j', 'DROP']),
    ),
  ].join('\n');
}

async function removeDrops(site: Site, instance: string): Promise<void> {
  const lines = ['INPUT', 'OUTPUT'].flatMap((chain) => [
    `iptables -w 5 -D ${chain} -j ${CHAIN}-${chain} 2> /dev/null || :`,
    `iptables -w 5 -F ${CHAIN}-${chain} 2> /dev/null || :`,
    `iptables -w 5 -X ${CHAIN}-${chain} 2> /dev/null || :`,
  ]);
  await site.ground.sh(specOf(site, instance).host, lines.join('\n'));
}
