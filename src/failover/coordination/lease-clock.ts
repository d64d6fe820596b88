/**
 * Knows when a lease may be over, on the safe side: time runs from the moment when the question that renewed it was
 * sent, and ends before the store could give the lease to another. Both clocks are asked: the steady one stands still
 * while a laptop sleeps, the wall clock may be set back.
 */
export interface LeaseClock {
  readonly signal: AbortSignal;
  /** The lease was granted or renewed by a question that was sent at `sent`. */
  renew(sent: Moment, ttlMs: number): void;
  /** Whether the lease is certainly ours; aborts the signal when not. */
  valid(): boolean;
  /** It is lost, or given back. */
  end(reason: Error): void;
}

export interface Moment {
  readonly steady: number;
  readonly wall: number;
}

/** A tenth of the lease is left for clocks that run unevenly and for what is under way when the signal comes. */
const SAFE_PART = 0.9;

export function now(): Moment {
  return { steady: performance.now(), wall: Date.now() };
}

/** How much time has passed, in milliseconds: by the clock that says more. */
export function since(moment: Moment): number {
  return Math.max(performance.now() - moment.steady, Date.now() - moment.wall);
}

export function leaseClock(expired: () => Error): LeaseClock {
  const lost = new AbortController();
  let from = now();
  let safeMs = 0;
  let timer: NodeJS.Timeout | undefined;
  const end = (reason: Error): void => {
    clearTimeout(timer);
    lost.abort(reason);
  };
  const check = (): boolean => {
    if (lost.signal.aborted) return false;
    const left = safeMs - since(from);
    if (left <= 0) {
      end(expired());
      return false;
    }
    clearTimeout(timer);
    // A command that has ended is not kept alive by a lease that it forgot.
    timer = setTimeout(check, Math.min(left, 100)).unref();
    return true;
  };
  return {
    signal: lost.signal,
    renew: (sent, ttlMs) => {
      // An answer that comes when the time was over does not bring the lease back.
      if (safeMs > 0 && !check()) return;
      from = sent;
      safeMs = ttlMs * SAFE_PART;
      check();
    },
    valid: check,
    end,
  };
}
