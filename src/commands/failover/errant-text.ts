import { observe } from '../../failover/reach/observe.ts';
import { primaryNames } from '../../failover/output/json.ts';
import { primaryOf } from '../../failover/cluster/primary.ts';
import type { InstanceSpec, Topology } from '../../failover/cluster/topology.ts';
import { count, type Gtids, isEmpty, subtract } from '../../database/gtid.ts';
import { MOST_TRANSACTIONS } from '../../database/logged-transactions.ts';
import type { LoggedTransaction } from '../../database/server.ts';
import type { Session } from './session.ts';

/** Transactions of an instance that its primary does not have. */
export interface Errant {
  readonly instance: string;
  readonly primary: string;
  readonly gtids: Gtids;
  /** As far as the binary log still has them. */
  readonly transactions: readonly LoggedTransaction[];
}

/** More would fill the screen of somebody who only wants to know what they are. */
const MOST = 50;

/** What an instance has and the primary has not; undefined when that cannot be known. */
export async function errantOf(
  session: Session,
  spec: InstanceSpec,
  topology: Topology,
): Promise<Errant | undefined> {
  const [primaryName] = primaryNames(primaryOf(topology));
  const primary = topology.instances.find((instance) => instance.spec.name === primaryName);
  const instance = topology.instances.find((one) => one.spec.name === spec.name);
  if (primary?.kind !== 'answering' || instance?.kind !== 'answering' || primary === instance)
    return undefined;
  const suspected = subtract(instance.state.executed, primary.state.executed);
  const found = { instance: spec.name, primary: primary.spec.name };
  if (isEmpty(suspected)) return { ...found, gtids: suspected, transactions: [] };
  const limits = { timeoutMs: session.cluster.settings.queryTimeoutMs };
  // A primary that is written to may only have been asked a moment earlier than its replica.
  const now = await session.ports.servers.get(primary.spec.name)?.executed(limits);
  const gtids = now === undefined ? suspected : subtract(suspected, now);
  const transactions = isEmpty(gtids)
    ? []
    : await session.ports.servers
        .get(spec.name)
        ?.transactions(gtids, { timeoutMs: session.cluster.settings.catchUpTimeoutMs });
  return { ...found, gtids, transactions: transactions ?? [] };
}

/** The errant transactions of an instance for people; undefined when it has none, or nobody can know. */
export async function errantText(session: Session, spec: InstanceSpec): Promise<string | undefined> {
  const topology = await observe(session.cluster, session.ports, { withoutBalancers: true });
  const found = await errantOf(session, spec, topology);
  return found === undefined || isEmpty(found.gtids) ? undefined : describeErrant(found);
}

export function describeErrant({ instance, primary, gtids, transactions }: Errant): string {
  const total = count(gtids);
  const lines = [
    `${instance} has ${total} ${total === 1 ? 'transaction' : 'transactions'} that ${primary} has not: ${gtids.toString()}`,
  ];
  lines.push(...transactionLines(transactions));
  if (transactions.length < total) {
    const rest = total - transactions.length;
    lines.push(
      transactions.length >= MOST_TRANSACTIONS
        ? `  ${rest} of them were not looked at: reading stopped when ${transactions.length} were found, the newest`
        : `  ${rest} of them ${rest === 1 ? 'is' : 'are'} no longer in its binary logs`,
    );
  }
  return lines.join('\n');
}

/** What transactions did, a line each, the first ones of many. */
export function transactionLines(transactions: readonly LoggedTransaction[]): readonly string[] {
  const lines: string[] = [];
  for (const { gtid, log, position, changes, statements } of transactions.slice(0, MOST)) {
    const said = [
      ...changes.map(
        ({ table, kind, events }) => `${kind} ${table}${events === 1 ? '' : ` (${events} times)`}`,
      ),
      ...statements.map((statement) =>
        statement
          .replace(/\s*\/\* xid=\d+ \*\/$/, '')
          .replaceAll(/\s+/g, ' ')
          .slice(0, 120),
      ),
    ];
    lines.push(`  ${gtid}  ${said.length === 0 ? 'nothing' : said.join('; ')}  (${log}:${position})`);
  }
  if (transactions.length > MOST) lines.push(`  … and ${transactions.length - MOST} more`);
  return lines;
}
