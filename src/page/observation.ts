import type { Drained } from '../site/drained.ts';
import { balancerEye, type BalancerWays, type SiteAddresses } from './balancer-eye.ts';
import { DatabaseEye, type DatabaseWays } from './database-eye.ts';
import { keepLooking } from './keep-looking.ts';
import type { BalancerState, PageState } from './model/state.ts';

/** A cluster, or why it could not be opened. */
export type Watched = DatabaseWays | { readonly name: string; readonly failure: string };

export interface SiteWays {
  readonly balancers: readonly BalancerWays[];
  readonly addresses: () => Promise<SiteAddresses>;
  readonly drained: () => Promise<readonly (Drained & { readonly server: string })[]>;
}

export interface ObservationOptions {
  /** The host that looks. */
  readonly from: string;
  readonly databases: readonly Watched[];
  /** Undefined: no balancer is near. */
  readonly site?: SiteWays | undefined;
  /** Takes out of what is seen what nobody may read. */
  readonly redact?: ((text: string) => string) | undefined;
  /** How long it goes on looking when nobody wants to know any more: a page that is loaded anew finds it going. */
  readonly lingerMs?: number | undefined;
}

/** What is seen, for as many as want to know. */
export interface Observation {
  /**
   * The states from now on, until the signal comes: the present one first, then each time that something has changed,
   * and at least every ten seconds. Who is slow misses what was overtaken meanwhile.
   */
  states(signal: AbortSignal): AsyncIterable<PageState>;
  /** How many want to know. */
  readonly watchers: number;
  close(): void;
}

const DRAINED_EVERY_MS = 1000;
/** A state is sent no sooner than this after the one before: one change is often seen in several places at once. */
const PAUSE_MS = 100;
/** Who hears nothing for longer has lost the connection. */
const REPEAT_MS = 10_000;
const LINGER_MS = 15_000;

/** Looks at the site only while somebody wants to know, and once for all of them. */
export function observation(options: ObservationOptions): Observation {
  const { lingerMs = LINGER_MS } = options;
  let round: Round | undefined;
  let watchers = 0;
  let lingering: NodeJS.Timeout | undefined;
  const close = (): void => {
    clearTimeout(lingering);
    round?.stop();
    round = undefined;
  };
  return {
    async *states(signal) {
      watchers++;
      clearTimeout(lingering);
      round ??= new Round(options);
      try {
        yield* round.states(signal);
      } finally {
        watchers--;
        if (watchers === 0) lingering = setTimeout(close, lingerMs).unref();
      }
    },
    get watchers() {
      return watchers;
    },
    close,
  };
}

/** One time of looking, from the first who wants to know to the last. */
class Round {
  readonly #options: ObservationOptions;
  readonly #stopped = new AbortController();
  readonly #eyes: readonly (DatabaseEye | { readonly name: string; readonly failure: string })[];
  readonly #balancers = new Map<string, BalancerState>();
  #drained: PageState['drained'] = [];
  #latest: { readonly state: PageState; readonly text: string; readonly sentAt: number } | undefined;
  /** Who waits for the next state. */
  readonly #waiting = new Set<() => void>();
  #due: NodeJS.Timeout | undefined;

  constructor(options: ObservationOptions) {
    this.#options = options;
    const { signal } = this.#stopped;
    const onChange = (): void => this.#soon();
    this.#eyes = options.databases.map((one) =>
      'failure' in one ? one : new DatabaseEye(one, signal, onChange),
    );
    const { site } = options;
    if (site !== undefined) this.#lookAtSite(site, signal);
    keepLooking(REPEAT_MS / 10, signal, async () => this.#renew());
  }

  async *states(signal: AbortSignal): AsyncIterable<PageState> {
    let sent: PageState | undefined;
    const either = AbortSignal.any([signal, this.#stopped.signal]);
    while (!either.aborted) {
      const state = this.#latest?.state;
      if (state !== undefined && state !== sent) {
        sent = state;
        yield state;
      } else await this.#news(either);
    }
  }

  stop(): void {
    this.#stopped.abort();
    clearTimeout(this.#due);
  }

  /** Resolves at the next state, or when the signal comes. */
  async #news(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake);
    });
  }

  #lookAtSite(site: SiteWays, signal: AbortSignal): void {
    const order = site.balancers.map(({ name }) => name);
    for (const name of order) this.#balancers.set(name, { name, silence: null, addresses: [], servers: [] });
    for (const ways of site.balancers) {
      const eye = balancerEye(ways);
      signal.addEventListener('abort', () => eye.close(), { once: true });
      keepLooking(ways.everyMs, signal, async () => {
        this.#balancers.set(ways.name, await eye.look(await site.addresses()));
        this.#soon();
      });
    }
    keepLooking(DRAINED_EVERY_MS, signal, async () => {
      this.#drained = [...(await site.drained())];
      this.#soon();
    });
  }

  /** Something may look different. */
  #soon(): void {
    if (this.#due !== undefined || this.#stopped.signal.aborted) return;
    const since = performance.now() - (this.#latest?.sentAt ?? -Infinity);
    this.#due = setTimeout(
      () => {
        this.#due = undefined;
        this.#renew();
      },
      Math.max(0, PAUSE_MS - since),
    );
  }

  /** Sends a state that is a new one, or the same after a while. */
  #renew(): void {
    const databases = this.#eyes.map((eye) =>
      eye instanceof DatabaseEye
        ? eye.state()
        : {
            name: eye.name,
            status: null,
            failure: eye.failure,
            storeFailure: null,
            silentWatchers: [],
            etcd: [],
            history: [],
          },
    );
    const seen = { databases, balancers: [...this.#balancers.values()], drained: this.#drained };
    const { redact = (text) => text, from } = this.#options;
    const text = redact(JSON.stringify(seen));
    const now = performance.now();
    if (this.#latest?.text === text && now - this.#latest.sentAt < REPEAT_MS) return;
    const state = { at: Date.now(), from, ...(JSON.parse(text) as typeof seen) };
    this.#latest = { state, text, sentAt: now };
    for (const wake of this.#waiting) wake();
  }
}
