import type { FactQuery } from '../../facts/fact.ts';
import type { Effect } from '../../steps/plan.ts';
import type { Step, StepOutput } from '../../steps/step.ts';
import { actorKey, type Actor } from './actor.ts';
import type { Changes } from './changes.ts';
import { FactCache } from './gather.ts';
import type { ApplyOptions, Host } from './host.ts';

/** A host in a run, and what is known of it. What was read stands until something is done that may change it. */
export class HostSession {
  readonly #host: Host;
  readonly #changes: Changes;
  readonly #caches = new Map<string, FactCache>();

  constructor(host: Host, changes: Changes) {
    this.#host = host;
    this.#changes = changes;
  }

  /** Differs from what it was before as soon as something was done that may have changed the host. */
  get age(): number {
    return this.#changes.ageOf(this.#host.machines);
  }

  /** What is known of the host, as one user sees it. */
  facts(actor: Actor): FactCache {
    const key = actorKey(actor);
    let cache = this.#caches.get(key);
    if (!cache) {
      cache = new FactCache(
        () => this.age,
        () => this.#changes.total,
      );
      this.#caches.set(key, cache);
    }
    return cache;
  }

  /** Something may have changed: what was read before may be wrong now. */
  changed(effect: Effect = 'host'): void {
    if (effect === 'nothing') return;
    this.#changes.note(effect === 'host' ? this.#host.machines : 'anywhere');
    for (const cache of this.#caches.values()) cache.clear();
  }

  /** Reads facts in one round trip, whether they are known already or not. */
  async read(actor: Actor, queries: readonly FactQuery[]): Promise<void> {
    if (queries.length === 0) return;
    await this.#host.open(actor);
    const facts = this.facts(actor);
    const reading = facts.reading();
    reading.store(queries, await this.#host.read(actor, queries));
  }

  /**
   * Does the steps in order. Whatever they are said to affect counts as changed, from the moment at which they begin
   * and however they end: a step that failed may have done a part of its work.
   */
  async apply(
    actor: Actor,
    steps: readonly Step[],
    effect: Effect,
    options: ApplyOptions,
  ): Promise<readonly StepOutput[]> {
    await this.#host.open(actor);
    this.changed(effect);
    const begun = this.age;
    let applied;
    let undisturbed;
    try {
      applied = await this.#host.apply(actor, steps, options);
    } finally {
      undisturbed = this.age === begun;
      this.changed(effect);
    }
    // Unless others were at work there as well, what came along is what the steps have left.
    if (undisturbed) {
      const known = options.refresh.filter((query) => applied.facts.has(query.id));
      this.facts(actor).reading().store(known, applied.facts);
    }
    return applied.outputs;
  }

  /** Does some work while no other host's task changes the same machine (see `Changes`). */
  async exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    return await this.#changes.exclusively(this.#host.machines, work);
  }

  /** Runs a script of the engine's own that changes the host. */
  async script(actor: Actor, script: string): Promise<void> {
    await this.#host.script(actor, script);
    this.changed();
  }

  /** The next use connects anew. */
  async disconnect(): Promise<void> {
    this.changed();
    await this.#host.disconnect();
  }
}
