import { contains, type Gtids, noGtids, readingBeyond, subtract, union } from '../../database/gtid.ts';
import { type LogHead, parseLoggedTail, parseLogHeads } from '../../database/log-text.ts';
import { oneGtid } from '../../database/logged-transactions.ts';
import type { Flavour } from '../../database/version.ts';
import { EXIT, UserError } from '../../lib/errors.ts';
import type { TailView } from '../cluster/tail.ts';
import type { Topology } from '../cluster/topology.ts';
import type { LogsFrom, Machine } from './machine.ts';

/** What the replicas lack is nearly always in the newest logs; the heads of more are read only when it is not. */
const FEW_LOGS = 4;
const MANY_LOGS = 1000;

/**
 * Reads on the machine of a dead primary what its binary logs hold beyond what the instances that answer have. Never
 * rejects for a reason of that machine's: then the tail says why it cannot be had.
 */
export async function readTail(
  machine: Machine,
  instance: string,
  topology: Topology,
  flavour: Flavour,
  signal?: AbortSignal,
): Promise<TailView> {
  const held = heldBy(topology, instance, flavour);
  try {
    const {
      heads: [newest],
      from,
    } = await beginningOf(machine, flavour, held, signal);
    const { there, transactions, isCut } = parseLoggedTail(
      flavour,
      from.log,
      await machine.logEvents(from, signal),
    );
    return {
      instance,
      logged: union(newest?.before ?? noGtids(flavour), there),
      transactions: transactions.filter(({ gtid }) => !subtract(oneGtid(flavour, gtid), held).isEmpty),
      isCut,
    };
  } catch (error) {
    if (!(error instanceof UserError) || signal?.aborted) throw error;
    return { instance, unreadable: error.message };
  }
}

/** The statements that bring an instance what the logs on that machine hold beyond what it has. */
export async function tailStatements(
  machine: Machine,
  flavour: Flavour,
  executed: Gtids,
  signal?: AbortSignal,
): Promise<Buffer> {
  const { from } = await beginningOf(machine, flavour, executed, signal);
  return await machine.logStatements(from, signal);
}

/** The newest log before which there is nothing that is lacking. */
async function beginningOf(
  machine: Machine,
  flavour: Flavour,
  held: Gtids,
  signal: AbortSignal | undefined,
): Promise<{ readonly heads: readonly LogHead[]; readonly from: LogsFrom }> {
  for (const count of [FEW_LOGS, MANY_LOGS]) {
    const heads = parseLogHeads(flavour, await machine.newestLogs(count, signal));
    const first = heads.find(({ before }) => contains(held, before));
    if (first) return { heads, from: { log: first.name, beyond: readingBeyond(held) } };
  }
  throw new UserError(`${machine.host}: what the replicas lack begins before its oldest binary log`, {
    exitCode: EXIT.failed,
  });
}

function heldBy({ instances }: Topology, but: string, flavour: Flavour): Gtids {
  return instances.reduce<Gtids>((all, instance) => {
    if (instance.kind === 'silent' || instance.spec.name === but) return all;
    const { executed, replication } = instance.state;
    return union(all, replication === undefined ? executed : union(executed, replication.backlog));
  }, noGtids(flavour));
}
