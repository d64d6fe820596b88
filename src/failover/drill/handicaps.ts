import { FAULTS } from './faults.ts';
import { type Site, specOf } from './ground.ts';
import { service, sql } from './look.ts';

/*
 * What may be wrong with one replica while all else is well, so that nobody has to act on it at once. Then the primary
 * dies, and it matters.
 */

export type HandicapName =
  | 'applier-stopped'
  | 'receiver-stopped'
  | 'delayed'
  | 'two-acks'
  | 'stale'
  | 'full-disk';

/** Imposing and lifting may be repeated. An instance whose handicap is lifted may have become the primary. */
export interface Handicap {
  /** What is so, after the name of the instance. */
  readonly description: string;
  /** With fewer instances, a fault of the primary may leave nobody who could take over, or acknowledge. */
  readonly atLeast: number;
  /** The flavours that can have it. */
  readonly flavours: readonly Site['flavour'][];
  /** Slow preparations that interrupt nobody. */
  prepare?(site: Site, instance: string): Promise<void>;
  impose(site: Site, instance: string): Promise<void>;
  lift(site: Site, instance: string): Promise<void>;
  /** Undoes `prepare`, when the instance follows again. */
  restore?(site: Site, instance: string): Promise<void>;
}

const BOTH = ['mysql', 'mariadb'] as const;
const DELAY_SECONDS = 600;

export const HANDICAPS: Readonly<Record<HandicapName, Handicap>> = {
  'applier-stopped': {
    description: 'has its applier stopped by hand',
    atLeast: 3,
    flavours: BOTH,
    impose: async (site, instance) => await say(site, instance, 'STOP REPLICA SQL_THREAD;'),
    lift: async (site, instance) => await ifReplica(site, instance, 'START REPLICA SQL_THREAD;'),
  },
  'receiver-stopped': {
    description: 'has its receiver stopped by hand',
    atLeast: 3,
    flavours: BOTH,
    impose: async (site, instance) => await say(site, instance, 'STOP REPLICA IO_THREAD;'),
    lift: async (site, instance) => await ifReplica(site, instance, 'START REPLICA IO_THREAD;'),
  },
  delayed: {
    description: 'applies ten minutes late',
    atLeast: 3,
    flavours: BOTH,
    impose: async (site, instance) => await say(site, instance, delayed(site, DELAY_SECONDS)),
    lift: async (site, instance) => await ifReplica(site, instance, delayed(site, 0)),
  },
  'two-acks': {
    description: 'waits for two acknowledgements when it is the primary',
    atLeast: 3,
    // MariaDB always waits for one.
    flavours: ['mysql'],
    impose: async (site, instance) =>
      await say(site, instance, 'SET GLOBAL rpl_semi_sync_source_wait_for_replica_count = 2;'),
    // A server that does not answer has the file's setting again when it is back.
    lift: async (site, instance) =>
      await say(site, instance, 'SET GLOBAL rpl_semi_sync_source_wait_for_replica_count = 1;').catch(
        () => {},
      ),
  },
  stale: {
    description: 'lacks what the others have no binary logs of any more',
    atLeast: 4,
    flavours: BOTH,
    impose: async (site, instance) => {
      const { host } = specOf(site, instance);
      await site.ground.sh(host, `systemctl stop ${service(site)}`, { timeoutMs: 90_000 });
      const others = site.instances.filter((spec) => spec.name !== instance);
      // The writers go on meanwhile, so that it lacks something that is in no log.
      for (const { name } of others) await say(site, name, 'FLUSH BINARY LOGS; DO SLEEP(0.5);');
      for (const { name } of others)
        await say(site, name, 'FLUSH BINARY LOGS; PURGE BINARY LOGS BEFORE NOW() + INTERVAL 1 DAY;');
      await site.ground.sh(host, `systemctl start ${service(site)}`, { timeoutMs: 90_000 });
    },
    // Only a copy brings it back.
    lift: async () => {},
  },
  'full-disk': {
    description: 'has a full disk',
    atLeast: 4,
    flavours: BOTH,
    prepare: async (site, instance) => await FAULTS['full-disk'].prepare?.(site, instance),
    impose: async (site, instance) => await FAULTS['full-disk'].cause(site, instance),
    lift: async (site, instance) => await FAULTS['full-disk'].heal(site, instance),
    restore: async (site, instance) => await FAULTS['full-disk'].restore?.(site, instance),
  },
};

function delayed(site: Site, seconds: number): string {
  return site.flavour === 'mariadb'
    ? `STOP REPLICA; CHANGE MASTER TO MASTER_DELAY = ${seconds}; START REPLICA;`
    : `STOP REPLICA SQL_THREAD; CHANGE REPLICATION SOURCE TO SOURCE_DELAY = ${seconds}; START REPLICA SQL_THREAD;`;
}

async function say(site: Site, instance: string, statements: string): Promise<void> {
  await sql(site, specOf(site, instance), statements, 30_000);
}

/** One that was promoted, fenced or stopped meanwhile has nothing to start: who brings it back does that. */
async function ifReplica(site: Site, instance: string, statements: string): Promise<void> {
  const found = await sql(site, specOf(site, instance), 'SHOW REPLICA STATUS;').catch(() => '');
  if (found !== '') await say(site, instance, statements);
}
