import type { Balancer } from '../../balancer/balancer.ts';
import { poll } from '../../lib/async.ts';
import { EXIT, unreachable, UserError } from '../../lib/errors.ts';
import { contains, type Gtids, isEmpty, parseGtids, union } from '../../database/gtid.ts';
import type { JournalRow, Limits, Server } from '../../database/server.ts';
import type { Action } from '../plan/action.ts';
import { HEARD_MS } from '../cluster/links.ts';
import { type ActionContext, known, said, specOf } from './action-context.ts';
import { awaitReceived } from './await-received.ts';
import { onBalancers } from './on-balancers.ts';
import { applyLog, clone, fence, stopReceiver, unfence } from './on-machines.ts';
import type { Done } from './outcome.ts';

/** How often the executor asks for something that only time can bring. */
const POLL_MS = 10;
/** How often a wait for transactions makes sure that they can still come. */
const LISTEN_EVERY_MS = 1000;

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

/** Asks again until the answer is yes. Returns false when the time is over. */
async function until({ timeoutMs, signal }: Limits, ask: () => Promise<boolean>): Promise<boolean> {
  const yes = async (): Promise<true | undefined> => (await ask()) || undefined;
  return (await poll(yes, { everyMs: POLL_MS, withinMs: timeoutMs, signal })) ?? false;
}
