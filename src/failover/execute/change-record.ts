import { randomUUID } from 'node:crypto';

import { UserError } from '../../lib/errors.ts';
import { isEmpty } from '../../database/gtid.ts';
import type { Action, Plan } from '../plan/action.ts';
import { riskName } from '../plan/risks.ts';
import type { JournalEntry, JournalStep } from '../coordination/records.ts';
import { journalKeeper, type JournalKeeper } from './journal-keeper.ts';
import type { Done, ExecuteOptions, StepEvent } from './outcome.ts';
import { primaryOf } from '../cluster/primary.ts';
import type { Memory, SourceSettings } from '../cluster/memory.ts';
import { withoutMember } from '../cluster/without-member.ts';
import { sourceSettings } from '../cluster/source-settings.ts';
import type { Answering } from '../cluster/topology.ts';

/** What a change leaves in the journal and in the memory. */
export class ChangeRecord {
  readonly id: string;
  readonly #at = Date.now();
  readonly #startedAt = performance.now();
  #plan: Plan;
  readonly #options: ExecuteOptions;
  readonly #journal: JournalKeeper;
  readonly #steps: JournalStep[] = [];
  /** For each instance: whether its machine keeps mysqld from starting since this change. */
  readonly #masked = new Map<string, boolean>();
  /** For each instance whose fence was taken back: whether its server was left stopped, as somebody had stopped it before. */
  readonly #leftStopped = new Map<string, boolean>();
  /** Instances that this change may fence and that were not fenced before. */
  readonly #toFence: ReadonlySet<string>;
  /** The memory as it was when the change began. */
  #before: Memory | undefined;

  constructor(plan: Plan, options: ExecuteOptions) {
    this.#plan = plan;
    this.#options = options;
    this.id = options.retry?.id ?? randomUUID();
    this.#journal = journalKeeper(options.ports.coordination);
    const was = options.topology.memory.fenced ?? [];
    this.#toFence = new Set(
      plan.stages
        .flat()
        .flatMap(({ action }) =>
          action.do === 'fence' && !was.includes(action.instance) ? [action.instance] : [],
        ),
    );
  }

  get ms(): number {
    return Math.round(performance.now() - this.#startedAt);
  }

  /** Stores the journal's entry before the first step and, for a promotion, the mark that it is not finished. */
  async writeIntent(): Promise<void> {
    const { ports, lease } = this.#options;
    await lease.confirm();
    const { kind, from = '', to } = this.#plan;
    const isPromotion = this.#isPromotion();
    await Promise.all([
      ports.coordination.write(this.#entry('running')),
      isPromotion || this.#toFence.size > 0
        ? ports.coordination.remember((memory) => {
            this.#before = memory;
            return {
              ...(isPromotion ? withoutForerunner(memory, from) : memory),
              // A tool that is killed between the fence and the end leaves no other trace of the fence.
              fenced: [...(memory.fenced ?? []).filter((name) => !this.#toFence.has(name)), ...this.#toFence],
              ...(isPromotion
                ? { unfinished: { ...begunBefore(memory, from, to), id: this.id, kind, from, to } }
                : {}),
            };
          })
        : undefined,
    ]);
  }

  /**
   * The rest of the change was planned anew: the memory must name the new primary, and what it begins with, before it
   * takes writes.
   */
  async replan(
    plan: Plan,
    fresh: { readonly began: string; readonly semiSync: SourceSettings },
  ): Promise<void> {
    const { from = '', kind, to } = plan;
    this.#plan = plan;
    await this.#options.ports.coordination.remember((memory) => ({
      ...memory,
      unfinished: { id: this.id, kind, from, to, ...fresh },
    }));
  }

  /** Adds room for one more step and returns its number. */
  nextStep(): number {
    return this.#steps.length;
  }

  stepOf(index: number): JournalStep | undefined {
    return this.#steps[index];
  }

  note(index: number, step: StepEvent): void {
    this.#steps[index] = step;
    this.#options.report?.(step);
    this.#journal.keep(this.#entry('running'));
  }

  noteMachine(action: Action, { leftStopped = false }: Done = {}): void {
    const was = this.#options.topology.memory.fenced ?? [];
    if (action.do === 'fence') this.#masked.set(action.instance, true);
    if (action.do === 'unfence') {
      // It runs no more than before: what was known of it while it was fenced still holds.
      this.#masked.set(action.instance, leftStopped && was.includes(action.instance));
      this.#leftStopped.set(action.instance, leftStopped);
    }
    // An instance that follows is running, whatever started it.
    if (action.do === 'follow' && was.includes(action.instance)) this.#masked.set(action.instance, false);
  }

  /** Nothing is stored while writes are blocked. */
  pause(): void {
    this.#journal.pause();
  }

  resume(): void {
    this.#journal.resume();
  }

  async end(outcome: JournalEntry['outcome'], message: string | undefined): Promise<void> {
    const { coordination } = this.#options.ports;
    this.#journal.keep(this.#entry(outcome, message));
    // Without the lease the memory belongs to another process.
    const isOurs = !this.#options.lease.signal.aborted;
    if (
      isOurs &&
      (this.#isPromotion() ||
        this.#plan.kind === 'repair' ||
        this.#plan.kind === 'remove' ||
        this.#masked.size + this.#toFence.size > 0 ||
        (outcome === 'done' && this.#movesReplicas()))
    ) {
      const fresh = outcome === 'done' && this.#isPromotion() ? await this.#newPrimary() : undefined;
      await coordination.remember((memory) => this.#remembered(memory, outcome, fresh));
    }
    await this.#journal.flush();
  }

  /** The memory after this change. */
  #remembered(before: Memory, outcome: JournalEntry['outcome'], fresh: Answering | undefined): Memory {
    const { kind, to } = this.#plan;
    const isRemoved = kind === 'remove' && outcome === 'done';
    const memory = isRemoved ? withoutMember(before, to, { by: this.#options.who, at: this.#at }) : before;
    const fenced = [
      ...(memory.fenced ?? []).filter((name) => !this.#masked.has(name) && !this.#toFence.has(name)),
      ...[...this.#masked].flatMap(([name, isMasked]) => (isMasked ? [name] : [])),
    ];
    const stopped = [
      ...(memory.stopped ?? []).filter((name) => !this.#masked.has(name)),
      ...[...this.#leftStopped].flatMap(([name, isLeft]) => (isLeft && fenced.includes(name) ? [name] : [])),
    ];
    const base: Memory = {
      ...memory,
      fenced,
      ...(stopped.length > 0 || memory.stopped !== undefined ? { stopped } : {}),
      ...(outcome === 'done' ? { below: this.#below(memory.below) } : {}),
    };
    // A repair settles a change that was cut off when the balancers end up with a primary, and not when a replica starts.
    const settles = this.#isPromotion() || this.#opensPrimary();
    if (!settles || outcome === 'failed') return base;
    if (outcome === 'undone') {
      if (memory.unfinished?.id !== this.id || this.#before === undefined) return base;
      // This change may have been the attempt to finish an earlier one: that one is still unfinished.
      const { primary, lastSeen, began, semiSync, unfinished } = this.#before;
      return { ...base, primary, lastSeen, began, semiSync, unfinished };
    }
    return {
      ...base,
      unfinished: undefined,
      ...(this.#isPromotion()
        ? {
            epoch: Math.max(memory.epoch, this.#options.lease.epoch),
            primary: this.#plan.to,
            lastSeen: undefined,
            began: fresh && !isEmpty(fresh.state.executed) ? fresh.state.executed.toString() : undefined,
            semiSync: fresh && sourceSettings(fresh),
            disabledEvents: this.#disabledEvents() ?? memory.disabledEvents,
          }
        : {}),
      ...(this.#replacedByItself(memory) ? { unacknowledged: { id: this.id, at: this.#at } } : {}),
    };
  }

  /** The watch has replaced a primary that was dead or given up. */
  #replacedByItself({ primary }: Memory): boolean {
    const { kind, to } = this.#plan;
    return this.#options.automatic === true && kind === 'failover' && to !== primary;
  }

  /**
   * The statuses of the events that the old primary had and the new one has now; undefined when the old primary did not
   * answer.
   */
  #disabledEvents(): readonly string[] | undefined {
    const old = this.#options.topology.instances.find(({ spec }) => spec.name === this.#plan.from);
    return old?.kind === 'answering' ? old.state.disabledEvents : undefined;
  }

  /**
   * The state of the new primary now; undefined when it does not answer. Nothing depends on the answer, so nothing
   * fails without it.
   */
  async #newPrimary(): Promise<Answering | undefined> {
    const { ports, cluster } = this.#options;
    const { to } = this.#plan;
    const spec = cluster.instances.find(({ name }) => name === to);
    const limits = { timeoutMs: cluster.settings.queryTimeoutMs };
    const state = await ports.servers
      .get(to)
      ?.readState(limits)
      .catch((error: unknown) => {
        if (error instanceof UserError) return undefined;
        throw error;
      });
    return spec && state && { spec, kind: 'answering', state, ms: 0 };
  }

  /** Whether the change alters which replicas were put below another replica than the primary. */
  #movesReplicas(): boolean {
    const { memory } = this.#options.topology;
    return (
      this.#plan.kind === 'relocate' ||
      this.#follows().some(({ instance }) => memory.below?.[instance] !== undefined)
    );
  }

  /** Where operators have put replicas stays valid until those replicas are moved again. */
  #below(before: Memory['below'] = {}): Memory['below'] {
    const below = { ...before };
    const { primary } = this.#options.topology.memory;
    const view = primaryOf(this.#options.topology);
    const root = view.kind === 'writable' ? view.primary.spec.name : primary;
    for (const { instance, source } of this.#follows()) {
      delete below[instance];
      if (this.#plan.kind === 'relocate' && source !== root) below[instance] = source;
    }
    if (!this.#isPromotion()) return below;
    // A replica that was below the new primary is now a direct one.
    const { to } = this.#plan;
    return Object.fromEntries(
      Object.entries(below).filter(([instance, source]) => instance !== to && source !== to),
    );
  }

  #follows(): readonly Extract<Action, { readonly do: 'follow' }>[] {
    return this.#plan.stages.flat().flatMap(({ action }) => (action.do === 'follow' ? [action] : []));
  }

  #entry(outcome: JournalEntry['outcome'], message?: string): JournalEntry {
    const { lease, who, reason, topology } = this.#options;
    return {
      id: this.id,
      epoch: lease.epoch,
      at: this.#at,
      who,
      kind: this.#plan.kind,
      reason,
      from: this.#plan.from,
      to: this.#plan.to,
      steps: [...this.#steps],
      outcome,
      lostGtids: this.#plan.lost,
      ...(this.#plan.accepted?.length ? { accepted: this.#plan.accepted.map(riskName) } : {}),
      gtids: Object.fromEntries(
        topology.instances.flatMap((instance) =>
          instance.kind === 'answering'
            ? [[instance.spec.name, instance.state.executed.toString()] as const]
            : [],
        ),
      ),
      ms: this.ms,
      message,
      ...(this.#options.retry ? { attempts: this.#options.retry.attempts } : {}),
    };
  }

  #opensPrimary(): boolean {
    const { kind, stages, to } = this.#plan;
    return (
      kind === 'repair' &&
      stages.flat().some(({ action }) => action.do === 'point-writers' && action.instance === to)
    );
  }

  #isPromotion(): boolean {
    return this.#plan.kind === 'switchover' || this.#plan.kind === 'failover';
  }
}

/** What the new primary began with, when this change goes on with one between the same two that was cut off. */
function begunBefore(
  { unfinished }: Memory,
  from: string,
  to: string,
): Partial<NonNullable<Memory['unfinished']>> {
  if (unfinished?.from !== from || unfinished.to !== to) return {};
  const { began, semiSync } = unfinished;
  return { ...(began === undefined ? {} : { began }), ...(semiSync === undefined ? {} : { semiSync }) };
}

/**
 * An interrupted change had made this instance the primary, and now it is replaced itself: what was known of it is from
 * now on known of the cluster's primary.
 */
function withoutForerunner(memory: Memory, from: string): Memory {
  const { unfinished, semiSync } = memory;
  if (unfinished?.to !== from || unfinished.from === from) return memory;
  const both = [semiSync, unfinished.semiSync].filter((one) => one !== undefined);
  return {
    ...memory,
    primary: from,
    lastSeen: undefined,
    began: unfinished.began ?? memory.began,
    semiSync:
      both.length === 0
        ? undefined
        : {
            instance: from,
            waits: both.every(({ waits }) => waits),
            required: Math.min(...both.map(({ required }) => required)),
            endless: both.every(({ endless }) => endless),
          },
  };
}
