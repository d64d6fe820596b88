import { poll } from '../lib/async.ts';
import { EXIT, type Problem, UserError } from '../lib/errors.ts';
import { listed } from '../lib/listed.ts';
import type { AddressBalancer } from './address.ts';
import { type AddressStatus, heldBy } from './address-status.ts';

// The site's addresses move from one balancer to another, and no connection breaks: until the old one has finished those
// that it has, the new one passes their packets on to it.

/** keepalived moves an address within a second; one that waits before it takes its own address back needs ten. */
const MOVE_MS = 20_000;
const EVERY_MS = 100;
/** Packets are passed for a little longer than connections are waited for. */
const MARGIN_SECONDS = 10;

export interface HandOverOptions {
  /** How long connections may take that are open through the balancer that leaves. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface HandOverOutcome {
  /** The addresses that have moved; none when the balancer held none. */
  readonly moved: readonly string[];
  /** Connections that were open still when the time was over. */
  readonly left: number;
  readonly ms: number;
}

/**
 * Hands all addresses that `from` holds over to `to`, and lets `from` finish its connections. It yields afterwards, so
 * that it may be stopped: `stay` ends that. What fails or is interrupted before the addresses have moved is taken back.
 */
export async function handOver(
  from: AddressBalancer,
  to: AddressBalancer,
  { timeoutMs, signal }: HandOverOptions,
): Promise<HandOverOutcome> {
  const startedAt = performance.now();
  const [before, other] = await Promise.all([from.addresses(), to.addresses()]);
  mustTake(other);
  signal.throwIfAborted();
  const finishSeconds = Math.max(1, Math.ceil(timeoutMs / 1000));
  mustFinish(before, finishSeconds);
  const moved = heldBy(before);
  try {
    await to.expect(from.name, Math.ceil(MOVE_MS / 1000) + finishSeconds + MARGIN_SECONDS);
    await from.yieldAddresses();
    await untilMoved(from, to, moved, signal);
  } catch (error) {
    throw await takenBack(from, before, error);
  }
  const { connections: left } = await from.finish(finishSeconds, signal);
  // Where something is left, its packets are passed for the rest of the time.
  if (left === 0) await to.expect(from.name, 0);
  return { moved, left, ms: Math.round(performance.now() - startedAt) };
}

function mustTake({ balancer, yields }: AddressStatus): void {
  if (!yields) return;
  throw new UserError(
    {
      message: `${balancer} gives the site's addresses away itself`,
      hint: `\`provision handover ${balancer} --stay\` when it may hold them again`,
    },
    { exitCode: EXIT.failed },
  );
}

function mustFinish({ balancer, longestFinish }: AddressStatus, seconds: number): void {
  const problem = finishProblem(balancer, longestFinish, seconds * 1000);
  if (problem !== undefined) throw new UserError(problem, { exitCode: EXIT.failed });
}

/** Why a balancer cannot give its connections so much time; undefined: it can, as far as it says. */
export function finishProblem(
  balancer: string,
  longestSeconds: number | undefined,
  timeoutMs: number,
): Problem | undefined {
  if (longestSeconds === undefined || timeoutMs <= longestSeconds * 1000) return undefined;
  return {
    message: `connections at ${balancer} cannot be given ${timeoutMs / 1000} s: its HAProxy ends them after ${longestSeconds} s`,
    hint: 'give them less, or raise haproxy_hard_stop_after first',
  };
}

async function untilMoved(
  from: AddressBalancer,
  to: AddressBalancer,
  addresses: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  let still: readonly string[] = [];
  let missing: readonly string[] = [];
  const done = await poll(
    async () => {
      const [old, fresh] = await Promise.all([from.addresses(), to.addresses()]);
      still = heldBy(old);
      missing = addresses.filter((address) => !heldBy(fresh).includes(address));
      return still.length === 0 && missing.length === 0 ? true : undefined;
    },
    { everyMs: EVERY_MS, withinMs: MOVE_MS, signal },
  );
  if (done) return;
  const where =
    still.length > 0
      ? `${listed(still)} stayed on ${from.name}`
      : `${to.name} did not take ${listed(missing)}`;
  throw new UserError(
    {
      message: `${where} for ${MOVE_MS / 1000} s`,
      hint: `see journalctl -u keepalived on both; keepalived gives an address only to a balancer whose HAProxy has servers`,
    },
    { exitCode: EXIT.failed },
  );
}

/** Takes back what was done before the addresses have moved; the error to reject with. */
async function takenBack(from: AddressBalancer, before: AddressStatus, error: unknown): Promise<unknown> {
  if (before.yields) return error;
  try {
    await from.stay();
    return error;
  } catch {
    return new UserError(
      [
        ...(error instanceof UserError ? error.problems : []),
        {
          message: `${from.name} could not be told to keep its addresses`,
          hint: `\`provision handover ${from.name} --stay\` when it answers again`,
        },
      ],
      { cause: error, exitCode: EXIT.failed },
    );
  }
}
