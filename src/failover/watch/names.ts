import { setTimeout as wait } from 'node:timers/promises';

import type { RunScript } from '../../balancer/dns.ts';
import { UserError } from '../../lib/errors.ts';
import { listed } from '../../lib/listed.ts';
import type { Answer } from '../../site/dns/answers.ts';
import { askNames, updateName } from '../../site/dns/name-servers.ts';
import type { SiteDns } from '../../site/dns/spec.ts';
import {
  isAway,
  isBack,
  nameChanges,
  namesLeadingTo,
  nextSightings,
  type Sightings,
} from '../../site/dns/withdraw.ts';
import type { Memory } from '../cluster/memory.ts';
import { pauseAt } from '../cluster/pause.ts';
import type { Coordination } from '../coordination/coordination.ts';
import type { WatchEvent, WatchLog } from './log.ts';
import type { Notifier } from './notify.ts';
import { watchersOf } from './presence.ts';

export interface NamesOptions {
  readonly dns: SiteDns;
  /** The watch, as it is present in the memory: `watch@lb1`; and the balancer, for messages. */
  readonly who: string;
  readonly cluster: string;
  readonly coordination: Pick<Coordination, 'memory'>;
  /** Whether a balancer holds each of the site's addresses. */
  readonly see: (signal: AbortSignal) => Promise<ReadonlyMap<string, boolean>>;
  /** Runs dig and nsupdate. */
  readonly run: RunScript;
  readonly log: WatchLog;
  readonly notify: Notifier;
  readonly signal: AbortSignal;
  /** Monotonic milliseconds. */
  readonly clock?: (() => number) | undefined;
  readonly lookEveryMs?: number | undefined;
  readonly askEveryMs?: number | undefined;
}

const LOOK_EVERY_MS = 5000;
const ASK_EVERY_MS = 15_000;
export const ADDRESS_NOT_HELD = 'AddressNotHeld';
const NAMES_NOT_UPDATED = 'NamesNotUpdated';

/**
 * Takes an address that no balancer holds out of the site's names, and puts it back, until the signal. Every watch looks;
 * one of them acts: the first, by its name, of those that are present in the memory, so one that is cut off from the
 * store does nothing. The name server refuses the second of two who think that they are it.
 */
export async function watchNames(options: NamesOptions): Promise<void> {
  const { signal, clock = () => performance.now(), lookEveryMs = LOOK_EVERY_MS } = options;
  const names = new Names(options);
  while (!signal.aborted) {
    await names.look(clock());
    await wait(lookEveryMs, undefined, { signal }).catch(() => {});
  }
}

class Names {
  readonly #options: NamesOptions;
  #sightings: Sightings | undefined;
  #askedAt = -Infinity;
  /** By address: what was said of one that nobody holds. */
  readonly #told = new Map<string, string>();
  /** Why the last look, or the last question to the name server, was in vain. */
  readonly #failures = new Map<'look' | 'follow', string>();

  constructor(options: NamesOptions) {
    this.#options = options;
  }

  async look(now: number): Promise<void> {
    const { see, signal, askEveryMs = ASK_EVERY_MS } = this.#options;
    await this.#attempt('look', async () => {
      this.#sightings = nextSightings(this.#sightings, await see(signal), now);
    });
    const sightings = this.#sightings;
    // What was seen before the last look is of no use when that one was in vain.
    if (sightings?.at !== now || now - this.#askedAt < askEveryMs || signal.aborted) return;
    this.#askedAt = now;
    if (await this.#isOurs()) await this.#attempt('follow', async () => await this.#follow(sightings));
    else this.#told.clear();
  }

  async #isOurs(): Promise<boolean> {
    const { coordination, who } = this.#options;
    let memory: Memory;
    try {
      memory = await coordination.memory();
    } catch (error) {
      // The watch itself tells that its store is lost.
      if (error instanceof UserError) return false;
      throw error;
    }
    const at = Date.now();
    return pauseAt(memory, at) === undefined && watchersOf(memory, at).present.toSorted()[0] === who;
  }

  async #follow(sightings: Sightings): Promise<void> {
    const { dns, who, run } = this.#options;
    const answers = await askNames(dns, who, run);
    const changes = nameChanges(dns, sightings, answers);
    for (const { name, gone, back, lines } of changes) {
      try {
        await updateName(dns, who, run, lines);
        for (const [address, how] of [
          ...gone.map((one) => [one, 'no longer'] as const),
          ...back.map((one) => [one, 'again'] as const),
        ])
          this.#log({ event: 'step', level: 'warning', message: `${name} leads to ${address} ${how}` });
      } catch (error) {
        // Somebody has changed it after it was read.
        if (!(error instanceof UserError) || !/\b[NY]XRRSET\b/.test(error.message)) throw error;
        this.#log({
          event: 'waiting',
          level: 'info',
          message: `${name} was changed by somebody else meanwhile`,
        });
      }
    }
    this.#tell(sightings, changes.length === 0 ? answers : await askNames(dns, who, run));
  }

  #tell(sightings: Sightings, answers: readonly Answer[]): void {
    const { dns } = this.#options;
    for (const address of dns.addresses) {
      const leading = namesLeadingTo(answers, address);
      if (isAway(dns, sightings, address)) {
        const message =
          leading.length === 0
            ? `no balancer holds ${address}; ${listed(dns.names)} ${lead(dns.names)} to it no longer`
            : `no balancer holds ${address}, and ${listed(leading)} ${lead(leading)} to it still: none of its other addresses is held`;
        if (this.#told.get(address) === message) continue;
        this.#told.set(address, message);
        this.#say({
          event: 'problem',
          level: 'critical',
          code: ADDRESS_NOT_HELD,
          message,
          remedy: '`journalctl -u keepalived` on both balancers says why',
        });
      } else if (isBack(sightings, address) && leading.length === dns.names.length) {
        if (!this.#told.delete(address)) continue;
        const message = `${address} is held again, and ${listed(leading)} ${lead(leading)} to it`;
        this.#say({ event: 'solved', level: 'info', code: ADDRESS_NOT_HELD, message });
      }
    }
  }

  /** Each reason for a failure is told once, until it has gone well. */
  async #attempt(what: 'look' | 'follow', work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#failures.delete(what);
    } catch (error) {
      if (this.#options.signal.aborted) return;
      if (!(error instanceof UserError)) throw error;
      const { message } = error;
      if (this.#failures.get(what) === message) return;
      this.#failures.set(what, message);
      this.#say({
        event: 'failed',
        level: 'warning',
        code: NAMES_NOT_UPDATED,
        message: `the site's names: ${message}`,
        remedy: '`provision dns check` asks the name server, too',
      });
    }
  }

  #say(event: WatchEvent & { readonly event: 'problem' | 'solved' | 'failed' }): void {
    this.#log(event);
    void this.#options.notify({ cluster: this.#options.cluster, ...event });
  }

  #log(event: WatchEvent): void {
    this.#options.log(event);
  }
}

function lead(names: readonly string[]): string {
  return names.length === 1 ? 'leads' : 'lead';
}
