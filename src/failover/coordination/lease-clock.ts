/**
 * Tells when a lease may have expired. The time runs from the moment at which the renewal was sent, and ends before
 * the store could give the lease to another owner. Both clocks count: the steady clock stands still while a laptop
 * sleeps, and the wall clock may be set back.
 */
export interface LeaseClock {
  readonly signal: AbortSignal;
  /** Restarts the time after a grant or a renewal that was sent at `sent`. */
  renew(sent: Moment, ttlMs: number): void;
  /** Whether the lease is certainly still held; aborts the signal when not. */
  valid(): boolean;
  /** Ends the lease: it was lost or released. */
  end(reason: Error): void;
}

export interface Moment {
  readonly steady: number;
  readonly wall: number;
}

/** A tenth of the lease is kept in reserve, for clock drift and for a step that is running when the signal aborts. */
const SAFE_PART = 0.9;

export function now(): Moment {
  return { steady: performance.now(), wall: Date.now() };
}

/** The time since a moment in milliseconds, by the clock that shows more. */
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
    // A lease that was never released does not keep the process alive.
    timer = setTimeout(check, Math.min(left, 100)).unref();
    return true;
  };
  return {
    signal: lost.signal,
    renew: (sent, ttlMs) => {
      // A renewal that arrives after the lease expired does not restore it.
      if (safeMs > 0 && !check()) return;
      from = sent;
      safeMs = ttlMs * SAFE_PART;
      check();
    },
    valid: check,
    end,
  };
}
