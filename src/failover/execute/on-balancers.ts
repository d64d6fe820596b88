import type { Balancer } from '../../balancer/balancer.ts';
import { EXIT, UserError } from '../../lib/errors.ts';

export interface OnBalancers {
  /** Balancers that have failed or do not answer, each with its reason; undefined when there are none. */
  readonly message: string | undefined;
  /** The names of those that did it. */
  readonly reached: readonly string[];
}

/**
 * Does the same on all balancers. One with checks of its own finds the writer without us, and the others of its kind
 * serve the clients meanwhile: of those, the action fails when all have failed, and one that did not answer before the
 * change is not waited for. Every other balancer is the only way of its clients, and has to be told: when one fails,
 * the action fails.
 */
export async function onBalancers(
  { balancers, silent }: { readonly balancers: readonly Balancer[]; readonly silent: ReadonlySet<string> },
  work: (balancer: Balancer) => Promise<void>,
): Promise<OnBalancers> {
  const asked = balancers.filter((balancer) => !(balancer.checks && silent.has(balancer.name)));
  const left = balancers.filter((balancer) => !asked.includes(balancer));
  const outcomes = await Promise.all(
    asked.map(async (balancer) => {
      try {
        await work(balancer);
        return { balancer, reason: undefined };
      } catch (error) {
        return { balancer, reason: (error as Error).message };
      }
    }),
  );
  const reached = outcomes.filter(({ reason }) => reason === undefined).map(({ balancer }) => balancer.name);
  const reasons = [
    ...outcomes.flatMap(({ reason }) => reason ?? []),
    ...left.map(({ name }) => `${name} does not answer`),
  ];
  const message = reasons.length === 0 ? undefined : reasons.join('; ');
  const checked = outcomes.filter(({ balancer }) => balancer.checks);
  const isFailed =
    (checked.length > 0 && checked.every(({ reason }) => reason !== undefined)) ||
    outcomes.some(({ balancer, reason }) => !balancer.checks && reason !== undefined);
  if (isFailed) throw new UserError(message ?? '', { exitCode: EXIT.failed });
  return { message, reached };
}
