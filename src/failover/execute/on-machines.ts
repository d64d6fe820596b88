import { traitsOf } from '../../database/traits.ts';
import { contains, count, isEmpty, parseGtids, subtract } from '../../database/gtid.ts';
import type { Limits } from '../../database/server.ts';
import { EXIT, type ExitCode, UserError } from '../../lib/errors.ts';
import type { Action } from '../plan/action.ts';
import { tailStatements } from '../reach/read-tail.ts';
import { type ActionContext, known, said, specOf } from './action-context.ts';
import type { Done } from './outcome.ts';

// Actions for which the machine below an instance is needed, and not only its server.

/**
 * STOP REPLICA waits for a receiver that connects to a host which is down, or waits for the greeting of one that hangs. The
 * machine below ends that connection; it only makes haste, so what becomes of it does not matter. Either way the receiver
 * has ended when this is done.
 */
export async function stopReceiver(
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

export async function unfence(
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
export async function fence(
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
export async function applyLog(
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

export async function clone(
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
