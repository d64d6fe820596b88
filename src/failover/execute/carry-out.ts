import { traitsOf } from '../../database/traits.ts';

import type { Balancer } from '../../balancer/balancer.ts';
import { poll } from '../../lib/async.ts';
import { EXIT, type ExitCode, unreachable, UserError } from '../../lib/errors.ts';
import { contains, count, type Gtids, isEmpty, parseGtids, subtract, union } from '../../database/gtid.ts';
import type { JournalRow, Limits, Server } from '../../database/server.ts';
import type { Action } from '../plan/action.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { HookEvent, Ports } from '../reach/ports.ts';
import { HEARD_MS } from '../cluster/links.ts';
import { tailStatements } from '../reach/read-tail.ts';
import type { InstanceSpec } from '../cluster/topology.ts';
import { awaitReceived } from './await-received.ts';
import { onBalancers } from './on-balancers.ts';
import type { Done } from './outcome.ts';

/** How often the executor asks for something that only time can bring. */
const POLL_MS = 10;
/** How often a wait for transactions makes sure that they can still come. */
const LISTEN_EVERY_MS = 1000;

/** What the executor needs to carry an action out. */
export interface ActionContext {
  readonly cluster: Cluster;
  readonly ports: Ports;
  /** The row that is written through the new primary to prove that the change has arrived everywhere. */
  readonly row: JournalRow;
  /** What the hooks are told about the change. */
  readonly event: HookEvent;
  /** Balancers that did not answer before the change began; no step waits for those that check by themselves. */
  readonly silentBalancers: ReadonlySet<string>;
  readonly progress?: ((instance: string, line: string) => void) | undefined;
}

/** Carries one action out. Rejects with a `UserError` that says why it could not be. */
export async function carryOut(action: Action, context: ActionContext, limits: Limits): Promise<Done> {
  const server = (name: string): Server => known(context.ports.servers, name);
  switch (action.do) {
    case 'hold-writers':
      return await tell(context, async (balancer) => {
        if (action.for !== undefined) await balancer.expect(specOf(context.cluster, action.for).host);
        await balancer.hold?.(action.ms);
      });
    case 'release-writers':
      return await tell(context, async (balancer) => await balancer.release?.());
    case 'end-writers': {
      const { host } = specOf(context.cluster, action.instance);
      const able = context.ports.balancers.filter((balancer) => balancer.endWriters !== undefined);
      const { message, reached } = await onBalancers(
        { balancers: able, silent: context.silentBalancers },
        async (balancer) => await balancer.endWriters?.(host),
      );
      return { message, fenced: reached.map((name) => `writers on ${name}`) };
    }
    case 'point-writers': {
      const { host } = specOf(context.cluster, action.instance);
      return await tell(context, async (balancer) => await balancer.pointWriters(host));
    }
    case 'stop-receiver':
      return await stopReceiver(action, context, limits);
    case 'confirm-stopped':
      return await confirmStopped(action, server(action.instance), limits);
    case 'start-receiver':
      return await said(server(action.instance).startReceiver(limits));
    case 'start-applier':
      return await said(server(action.instance).startApplier(limits));
    case 'stop-applier':
      return await said(server(action.instance).stopApplier(limits));
    case 'stop-replica':
      return await said(server(action.instance).stopReplica(limits));
    case 'start-replica':
      return await said(server(action.instance).startReplica(limits));
    case 'follow': {
      const { address, port } = specOf(context.cluster, action.source);
      const source = { host: address, port };
      return await said(server(action.instance).follow(source, { demoted: action.demoted }, limits));
    }
    case 'forget-source':
      return await said(server(action.instance).forgetSource(limits));
    case 'make-read-only':
      await server(action.instance).makeReadOnly(limits);
      return { fenced: [`${action.instance} read-only`] };
    case 'persist-read-only':
      return await said(server(action.instance).persistReadOnly(limits));
    case 'make-writable':
      return await said(server(action.instance).makeWritable({ startedAt: action.startedAt }, limits));
    case 'end-clients': {
      const ended = await server(action.instance).endClients(limits);
      return { message: `${ended} client sessions ended` };
    }
    case 'end-sessions':
      return await said(server(action.instance).endSessions(action.sessions, limits));
    case 'end-prepared':
      return await said(server(action.instance).endPrepared(action, limits));
    case 'run-sql':
      return await said(server(action.instance).runSql(action.sql, limits));
    case 'catch-up':
      return await catchUp(action, context, limits);
    case 'apply-backlog':
      return await applyBacklog(action.instance, server(action.instance), limits);
    case 'await-received':
      return await awaitReceived(action, context, limits);
    case 'semi-sync-source':
      return await said(server(action.instance).setSemiSyncSource(action.on, limits));
    case 'semi-sync-replica':
      return await said(server(action.instance).setSemiSyncReplica(action.on, limits));
    case 'await-ackers':
      return await awaitAckers(action.instance, server(action.instance), action.count, limits);
    case 'enable-events': {
      const disabled =
        action.as === undefined
          ? action.disabled
          : await server(action.as)
              .disabledEvents(limits)
              .catch(() => action.disabled);
      const enabled = await server(action.instance).enableEvents(disabled, limits);
      return enabled === 0 ? {} : { message: `${enabled} events enabled` };
    }
    case 'prove':
      return await prove(server(action.instance), action.on.map(server), context.row, limits);
    case 'fence':
      return await fence(action, context, limits);
    case 'unfence':
      return await unfence(action, context, limits);
    case 'apply-log':
      return await applyLog(action, context, limits);
    case 'clone':
      return await clone(action.instance, action.source, context, limits);
    case 'inject-empty':
      return await said(
        server(action.instance).injectEmpty(parseGtids(context.cluster.flavour, action.gtids), limits),
      );
    case 'hook':
      return await said(context.ports.hooks(action.hook, context.event, limits.signal));
    default:
      return unreachable(action);
  }
}

/** The instance that an action is about; undefined for actions about the balancers and for hooks. */
export function instanceOf(action: Action): string | undefined {
  return 'instance' in action ? action.instance : undefined;
}

async function said(work: Promise<void>): Promise<Done> {
  await work;
  return {};
}

function known<T>(all: ReadonlyMap<string, T>, name: string): T {
  const one = all.get(name);
  if (one === undefined) throw new Error(`a plan names ${name}, which the cluster does not have`);
  return one;
}

function specOf(cluster: Cluster, name: string): InstanceSpec {
  const spec = cluster.instances.find((instance) => instance.name === name);
  if (!spec) throw new Error(`a plan names ${name}, which the cluster does not have`);
  return spec;
}

async function tell(
  { ports, silentBalancers }: ActionContext,
  work: (balancer: Balancer) => Promise<void>,
): Promise<Done> {
  const { message } = await onBalancers({ balancers: ports.balancers, silent: silentBalancers }, work);
  return message === undefined ? {} : { message };
}

async function catchUp(
  { instance: name, with: other, has }: Extract<Action, { readonly do: 'catch-up' }>,
  { ports, cluster }: ActionContext,
  limits: Limits,
): Promise<Done> {
  const startedAt = performance.now();
  const executed = await known(ports.servers, other).executed(limits);
  const wanted = has === undefined ? executed : union(executed, parseGtids(cluster.flavour, has));
  const server = known(ports.servers, name);
  const left = (): number => limits.timeoutMs - (performance.now() - startedAt);
  let deafSince: number | undefined;
  for (;;) {
    const timeoutMs = Math.max(1, Math.min(left(), LISTEN_EVERY_MS));
    if (await server.waitFor(wanted, { ...limits, timeoutMs })) return {};
    if (left() <= 0) break;
    const deaf = await deafTo(server, wanted, { ...limits, timeoutMs: Math.max(1, left()) });
    const now = performance.now();
    deafSince = deaf && Math.min(deafSince ?? now, now - deaf.silentMs);
    // Receivers connect again by themselves, once a second.
    if (deaf && deafSince !== undefined && now - deafSince >= HEARD_MS)
      throw new UserError(`${name} does not get what ${other} has committed: ${deaf.why}`, {
        exitCode: EXIT.failed,
      });
  }
  throw new UserError(
    `${name} has not applied within ${limits.timeoutMs} ms all that ${other} has committed`,
    { exitCode: EXIT.failed },
  );
}

/**
 * Why an instance that lacks transactions does not get them now, and for how long it is known to have heard nothing.
 * Undefined: it has received them, or hears its source.
 */
async function deafTo(
  server: Server,
  wanted: Gtids,
  limits: Limits,
): Promise<{ readonly why: string; readonly silentMs: number } | undefined> {
  const { executed, replication } = await server.readState(limits);
  if (replication === undefined) return { why: 'it follows nobody', silentMs: 0 };
  const { receiver, receiverError, silentMs = 0, backlog } = replication;
  if (contains(union(executed, backlog), wanted)) return undefined;
  if (receiver === 'on') {
    if (silentMs < HEARD_MS) return undefined;
    return { why: 'its receiver runs, and hears nothing of its source', silentMs };
  }
  const error = receiverError === undefined ? '' : `: ${receiverError.code} ${receiverError.message}`;
  const why = receiver === 'off' ? 'its receiver is stopped' : 'its receiver cannot connect';
  return { why: `${why}${error}`, silentMs: 0 };
}

async function applyBacklog(name: string, server: Server, limits: Limits): Promise<Done> {
  const startedAt = performance.now();
  const { replication } = await server.readState(limits);
  if (!replication || isEmpty(replication.backlog)) return {};
  const left = Math.max(1, limits.timeoutMs - (performance.now() - startedAt));
  if (await server.waitFor(replication.backlog, { ...limits, timeoutMs: left })) return {};
  throw new UserError(
    `${name} has not applied within ${limits.timeoutMs} ms what it has received: ${replication.backlog.toString()}`,
    { exitCode: EXIT.failed },
  );
}

async function awaitAckers(name: string, server: Server, count: number, limits: Limits): Promise<Done> {
  let ackers = 0;
  const ready = await until(limits, async () => {
    ackers = (await server.readState(limits)).semiSync.source.ackers;
    return ackers >= count;
  });
  if (ready) return {};
  throw new UserError(`${ackers} of ${count} replicas acknowledge to ${name} after ${limits.timeoutMs} ms`, {
    exitCode: EXIT.failed,
  });
}

async function prove(
  primary: Server,
  others: readonly Server[],
  row: JournalRow,
  limits: Limits,
): Promise<Done> {
  await primary.writeJournal(row, limits);
  const missing = await Promise.all(
    others.map(async (other) =>
      (await until(limits, () => other.hasJournal(row.id, limits))) ? [] : [other.name],
    ),
  );
  const names = missing.flat();
  if (names.length === 0) return {};
  throw new UserError(
    `a row written through ${primary.name} has not arrived on ${names.join(' and ')} within ${limits.timeoutMs} ms`,
    { exitCode: EXIT.failed },
  );
}

/**
 * STOP REPLICA waits for a receiver that connects to a host which is down, or waits for the greeting of one that hangs. The
 * machine below ends that connection; it only makes haste, so what becomes of it does not matter. Either way the receiver
 * has ended when this is done.
 */
async function stopReceiver(
  { instance: name, seeks }: Extract<Action, { readonly do: 'stop-receiver' }>,
  { ports, cluster }: ActionContext,
  limits: Limits,
): Promise<Done> {
  const stopped = known(ports.servers, name).stopReceiver(limits);
  if (seeks === undefined) return await said(stopped);
  const over = new AbortController();
  const signal = limits.signal ? AbortSignal.any([limits.signal, over.signal]) : over.signal;
  known(ports.machines, name)
    .endConnections(specOf(cluster, seeks), signal)
    .catch(() => {});
  try {
    return await said(stopped);
  } finally {
    over.abort();
  }
}

async function confirmStopped(
  { instance: name, startedAt }: Extract<Action, { readonly do: 'confirm-stopped' }>,
  server: Server,
  limits: Limits,
): Promise<Done> {
  const state = await server.readState(limits);
  const { receiver = 'off' } = state.replication ?? {};
  if (state.startedAt === startedAt && receiver === 'off') return {};
  throw new UserError(
    `${name} ${receiver === 'off' ? 'was started again' : 'receives again'}, and may have acknowledged to the old primary, which lives`,
    { exitCode: EXIT.failed },
  );
}

async function unfence(
  { instance: name, asBefore }: Extract<Action, { readonly do: 'unfence' }>,
  { ports }: ActionContext,
  { signal }: Limits,
): Promise<Done> {
  const { runs } = await known(ports.machines, name).unfence(signal, asBefore);
  return runs
    ? {}
    : { leftStopped: true, message: `somebody had stopped ${name} before it was fenced: it stays so` };
}

/** Fences in every way there is. When no way worked, the action fails; the plan may allow that. */
async function fence(
  { instance: name, stonith = false }: Extract<Action, { readonly do: 'fence' }>,
  context: ActionContext,
  limits: Limits,
): Promise<Done> {
  const spec = specOf(context.cluster, name);
  const ways: readonly (readonly [string, Promise<void>])[] = [
    [`mysqld on ${spec.host}`, known(context.ports.machines, name).fence(limits.signal)],
    ...(!stonith
      ? []
      : [
          [
            `stonith ${spec.host}`,
            context.ports.hooks(
              'stonith',
              { ...context.event, instance: { name, host: spec.host, address: spec.address } },
              limits.signal,
            ),
          ] as const,
        ]),
  ];
  const outcomes = await Promise.allSettled(ways.map(([, work]) => work));
  const fenced = ways.flatMap(([way], index) => (outcomes[index]?.status === 'fulfilled' ? [way] : []));
  const failures = outcomes.flatMap((outcome) =>
    outcome.status === 'rejected' ? [(outcome.reason as Error).message] : [],
  );
  if (fenced.length === 0) throw new UserError(failures.join('; '), { exitCode: exitCodeOf(outcomes[0]) });
  return { fenced, message: failures.length === 0 ? undefined : failures.join('; ') };
}

/** Whether the machine itself was out of reach, or something there did not work. */
function exitCodeOf(outcome: PromiseSettledResult<void> | undefined): ExitCode {
  const reason: unknown = outcome?.status === 'rejected' ? outcome.reason : undefined;
  return reason instanceof UserError && reason.exitCode === EXIT.unreachable ? EXIT.unreachable : EXIT.failed;
}

/** Asks first what is lacking: this may be a second attempt. */
async function applyLog(
  { instance: name, of, gtids }: Extract<Action, { readonly do: 'apply-log' }>,
  { cluster, ports }: ActionContext,
  limits: Limits,
): Promise<Done> {
  const { flavour } = cluster;
  const begun = performance.now();
  const server = known(ports.servers, name);
  const wanted = parseGtids(flavour, gtids);
  const executed = await server.executed(limits);
  if (contains(executed, wanted)) return {};
  const statements = await tailStatements(known(ports.machines, of), flavour, executed, limits.signal);
  await known(ports.machines, name).applyLog(statements, {
    ...limits,
    timeoutMs: limits.timeoutMs - (performance.now() - begun),
  });
  const missing = subtract(wanted, await server.executed(limits));
  if (isEmpty(missing)) return { message: `${count(wanted)} transactions of ${of} applied` };
  throw new UserError(`${name} has not got from the binary log of ${of}: ${missing.toString()}`, {
    exitCode: EXIT.failed,
  });
}

async function clone(
  name: string,
  sourceName: string,
  context: ActionContext,
  limits: Limits,
): Promise<Done> {
  const report = (line: string): void => context.progress?.(name, line);
  const source = specOf(context.cluster, sourceName);
  if (traitsOf(context.cluster.flavour).clonesBySql) {
    await known(context.ports.servers, name).clone(
      { host: source.address, port: source.port },
      report,
      limits,
    );
    return {};
  }
  const donor = known(context.ports.machines, sourceName);
  await donor.serveCopy(limits.signal);
  try {
    await known(context.ports.machines, name).copyFrom(
      { host: source.host, address: source.address },
      report,
      limits.signal,
    );
  } finally {
    await donor.endCopy();
  }
  return {};
}

/** Asks again until the answer is yes. Returns false when the time is over. */
async function until({ timeoutMs, signal }: Limits, ask: () => Promise<boolean>): Promise<boolean> {
  const yes = async (): Promise<true | undefined> => (await ask()) || undefined;
  return (await poll(yes, { everyMs: POLL_MS, withinMs: timeoutMs, signal })) ?? false;
}
