import { setTimeout as wait } from 'node:timers/promises';

import { EXIT, UserError } from '../../lib/errors.ts';
import type { Action, LookAgain, Plan, Stage, Step } from '../plan/action.ts';
import type { ActionContext } from './action-context.ts';
import { carryOut, instanceOf } from './carry-out.ts';
import { ChangeRecord } from './change-record.ts';
import type { JournalStep } from '../coordination/records.ts';
import { keepHeld } from './keep-held.ts';
import { lookAgain } from './look-again.ts';
import type { Done, ExecuteOptions, Outcome } from './outcome.ts';
import { type Begun, takeBack } from './take-back.ts';
import { abortReason, withinLimit } from './within-limit.ts';
import { describe, mayAcknowledge, messageOf } from './words.ts';

/*
 * What this file guarantees:
 * - The intent is in the journal and in the memory before the first step.
 * - Before the point of no return (the first irreversible step) a failure or an interrupt takes back all that was begun,
 *   last first. An instance is made writable again only with the lease in hand.
 * - The lease is confirmed right before every stage with an irreversible step.
 * - After it the plan goes on: what failed is named in `left`, and the rest is still done where it makes sense.
 * - A lost lease means stop, wherever that is: nothing more is done and nothing is taken back, since somebody else may
 *   have changed the cluster meanwhile. The change stays unfinished in the memory, and whoever has the lease ends it.
 * - Where a plan says so, the cluster is looked at again, and what follows is planned on what it says then.
 */

/** The time limit for what is done at the end, whatever went wrong before. */
const LAST_ACTION_MS = 2000;
const LAST_HOOK_MS = 10_000;
/** Each action may be repeated: a lost connection may come back. */
const TRIES = 3;
const RETRY_PAUSE_MS = 50;

/** Carries a plan out. Rejects only when nothing was begun: the lock was lost, or the intent could not be stored. */
export async function execute(plan: Plan, options: ExecuteOptions): Promise<Outcome> {
  const run = new Run(plan, options);
  return await run.run();
}

class Run {
  #plan: Plan;
  readonly #options: ExecuteOptions;
  readonly #record: ChangeRecord;
  readonly #silentBalancers: ReadonlySet<string>;
  #begun: readonly Begun[] = [];
  readonly #beside: Promise<void>[] = [];
  /** The step that still runs beside the stages on an instance. The instance's next step waits for it. */
  readonly #busy = new Map<string, Promise<void>>();
  readonly #fenced = new Set<string>();
  /** Something keeps the old primary, if it lives, from acknowledging. */
  #isSilenced = false;
  readonly #rejoined = new Set<string>();
  readonly #left: string[] = [];
  /** Instances that could not be told to follow another source. */
  readonly #unmoved = new Set<string>();
  readonly #warnings: string[] = [];
  /** Instances on which a step failed after the point of no return: their further steps are left out. */
  readonly #broken = new Set<string>();
  /** Ends the steps that run beside the stages. */
  readonly #abandon = new AbortController();
  /** Who becomes the primary is in the memory. */
  #noted: Promise<void> | undefined;
  /** When writes will have been blocked for as long as they may be; undefined while nothing blocks them. */
  #deadline: number | undefined;
  #letWritersGo = (): void => {};
  #isPast = false;
  #refusedAt: number | undefined;
  #acceptedAt: number | undefined;

  constructor(plan: Plan, options: ExecuteOptions) {
    this.#plan = plan;
    this.#options = options;
    this.#record = new ChangeRecord(plan, options);
    this.#silentBalancers = new Set(
      options.topology.balancers.flatMap((balancer) => (balancer.reachable ? [] : [balancer.name])),
    );
  }

  async run(): Promise<Outcome> {
    await this.#record.writeIntent();
    const failure = await this.#runStages();
    this.#letWritersGo();
    // A step must not run while it is taken back.
    if (failure !== undefined && (!this.#isPast || this.#leaseIsLost)) this.#abandon.abort();
    const beside = await this.#awaitBeside();
    let outcome: Outcome['outcome'] = 'done';
    if (failure !== undefined) {
      if (this.#isPast || this.#leaseIsLost) outcome = 'failed';
      else outcome = (await this.#undo()) ? 'undone' : 'failed';
      await this.#tellFailure(failure);
    }
    return await this.#end(outcome, failure ?? beside);
  }

  /** Carries out the stages in order. Returns the reason when it stopped before the end. */
  async #runStages(): Promise<string | undefined> {
    for (let number = 0; ; number++) {
      const stop = await this.#mayBegin(number);
      if (stop !== undefined) return stop;
      const plan = this.#plan;
      const stage = plan.stages[number];
      if (stage === undefined) return undefined;
      const all = await this.#runStage(stage);
      if (this.#leaseIsLost) return this.#whyLost();
      const behind = this.#isPast ? [] : all.filter(({ step }) => step.bystander !== undefined);
      for (const { step, message } of behind) await this.#leaveBehind(step, message);
      const failures = all.filter((failure) => !behind.includes(failure));
      const fatal = failures.find(({ step }) => !this.#isPast || this.#isCrucial(step));
      if (fatal) {
        if (this.#isPast) await this.#giveUp(plan.stages.slice(number + 1));
        const isInterrupted = this.#options.signal?.aborted === true && !this.#isPast;
        return isInterrupted ? 'interrupted' : fatal.message;
      }
      for (const { step, message } of failures) {
        this.#left.push(`${describe(step)}: ${message}`);
        const instance = instanceOf(step.action);
        if (instance !== undefined && instance !== plan.to) this.#broken.add(instance);
      }
    }
  }

  /** Why the next stage does not begin. Past the point of no return an interrupt comes too late. */
  async #mayBegin(number: number): Promise<string | undefined> {
    const { signal, lease } = this.#options;
    if (this.#leaseIsLost) return this.#whyLost();
    if (signal?.aborted && !this.#isPast) return 'interrupted';
    const { lookAgain: again } = this.#plan;
    if (again?.after === number) {
      const refused = await this.#replan(again);
      if (refused !== undefined) return refused;
    }
    const stage = this.#plan.stages[number];
    if (this.#isTooLate()) return this.#whyTooLate();
    if (stage?.some((step) => step.irreversible) !== true) return undefined;
    try {
      await Promise.all([lease.confirm(), this.#noted]);
    } catch (error) {
      if (this.#leaseIsLost) return this.#whyLost();
      if (this.#isPast) await this.#giveUp([stage]);
      return (error as Error).message;
    }
    // Looking at the cluster may have taken a while.
    if (signal?.aborted && !this.#isPast) return 'interrupted';
    if (this.#isTooLate()) return this.#whyTooLate();
    return undefined;
  }

  async #replan(again: LookAgain): Promise<string | undefined> {
    const seen = await lookAgain(this.#plan, again, this.#options);
    if ('refused' in seen) return seen.refused;
    this.#plan = seen.plan;
    // The memory need not have it before there is something to lose.
    this.#noted = this.#record.replan(seen.plan, seen.begins);
    this.#noted.catch(() => {});
    return undefined;
  }

  /** Past the point of no return, going on is the quickest way to accept writes again. */
  #isTooLate(): boolean {
    return !this.#isPast && this.#deadline !== undefined && performance.now() >= this.#deadline;
  }

  #whyTooLate(): string {
    return `writes have stood still for ${this.#plan.writesWithinMs} ms, and may not for longer (\`--timeout\`)`;
  }

  /** Before the point of no return a step has no more time than is left for blocked writes. */
  #limitOf(step: Step): number {
    return this.#deadline === undefined || step.irreversible || this.#isPast
      ? step.limitMs
      : Math.max(1, Math.min(step.limitMs, Math.ceil(this.#deadline - performance.now())));
  }

  get #leaseIsLost(): boolean {
    return this.#options.lease.signal.aborted;
  }

  #whyLost(): string {
    return `${abortReason(this.#options.lease.signal)}: somebody else may have taken over; \`failover status\` says how it is`;
  }

  async #runStage(stage: Stage): Promise<readonly { step: Step; message: string }[]> {
    if (stage.some((step) => this.#stopsWrites(step))) this.#record.pause();
    const isPointOfNoReturn = stage.some((step) => step.irreversible);
    const isInterruptible = !isPointOfNoReturn && !this.#isPast;
    if (isPointOfNoReturn) this.#isPast = true;
    const failures: { step: Step; message: string }[] = [];
    const work = stage.flatMap((step) => {
      const one = this.#inTurn(step, isInterruptible).then((message) => {
        if (message === undefined) return;
        if (step.optional) this.#warnings.push(`${describe(step)}: ${message}`);
        else failures.push({ step, message });
      });
      if (!step.beside) return [one];
      const instance = instanceOf(step.action);
      if (instance !== undefined) this.#busy.set(instance, one);
      // A step beside the plan that fails stops nothing; the outcome names it.
      this.#beside.push(
        one.then(() => {
          const failed = failures.find((failure) => failure.step === step);
          if (failed) this.#left.push(`${describe(step)}: ${failed.message}`);
        }),
      );
      return [];
    });
    await Promise.all(work);
    if (stage.some((step) => this.#allowsWrites(step))) this.#record.resume();
    return failures.filter(({ step }) => !step.beside);
  }

  async #inTurn(step: Step, isInterruptible: boolean): Promise<string | undefined> {
    await this.#busy.get(instanceOf(step.action) ?? '');
    return await this.#runStep(step, isInterruptible);
  }

  /** Returns the reason when the step failed. */
  async #runStep(step: Step, isInterruptible: boolean): Promise<string | undefined> {
    const instance = instanceOf(step.action);
    const startedAt = performance.now();
    const index = this.#record.nextStep();
    const note = (status: JournalStep['status'], message?: string): void => {
      const ms = Math.round(performance.now() - startedAt);
      this.#record.note(index, { name: step.name, instance, status, ms, message });
    };
    if (this.#leaseIsLost) {
      note('skipped', 'the lease is lost');
      return 'the lease is lost';
    }
    if (step.bystander !== undefined && this.#broken.has(step.bystander)) {
      note('skipped', `${step.bystander} is left behind`);
      return undefined;
    }
    if (instance !== undefined && this.#broken.has(instance)) {
      note('skipped', 'an earlier step failed there');
      if (!step.optional) this.#left.push(`${describe(step)}: not tried, since an earlier step failed there`);
      return undefined;
    }
    // The record names the step before it begins, so that an interrupt in the middle also takes back what may have
    // happened.
    this.#begun = [...this.#begun, { step, index }];
    note('running');
    if (this.#stopsWrites(step)) this.#refusedAt ??= startedAt;
    const { writesWithinMs } = this.#plan;
    const standsStill = this.#stopsWrites(step) || step.action.do === 'hold-writers';
    if (standsStill && writesWithinMs !== undefined) this.#deadline ??= startedAt + writesWithinMs;
    try {
      const done = await this.#attempt(step, isInterruptible);
      if (this.#allowsWrites(step)) this.#acceptedAt = performance.now();
      this.#record.noteMachine(step.action, done);
      this.#noteHeld(step.action);
      if (this.#isOfOld(step)) {
        for (const way of done.fenced ?? []) this.#fenced.add(way);
        // Ending the writers of the balancers does not: there may be others.
        if (step.action.do === 'fence' || step.action.do === 'make-read-only') this.#isSilenced = true;
      }
      if (step.action.do === 'follow' && step.action.demoted) this.#rejoined.add(step.action.instance);
      note('done', done.message);
      return undefined;
    } catch (error) {
      // A machine that was reached may be half fenced: mysqld does not start there until the fence is taken back.
      const isReached = !(error instanceof UserError && error.exitCode === EXIT.unreachable);
      if (step.action.do === 'fence' && isReached) this.#record.noteMachine(step.action);
      if (step.action.do === 'follow') this.#unmoved.add(step.action.instance);
      const message = messageOf(error);
      note('failed', message);
      return message;
    }
  }

  #noteHeld(action: Action): void {
    if (action.do === 'point-writers' || action.do === 'release-writers') this.#letWritersGo();
    if (action.do === 'hold-writers')
      this.#letWritersGo = keepHeld(action, (again) => this.#limited(again, LAST_ACTION_MS));
  }

  /** Steps that make the new primary, and steps that belong to it afterwards, are tried again. */
  async #attempt(step: Step, isInterruptible: boolean): Promise<Done> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#limited(this.#without(step.action), this.#limitOf(step), {
          isInterruptible,
          beside: step.beside === true,
        });
      } catch (error) {
        const isNeeded = step.irreversible === true || (this.#isPast && step.optional !== true);
        const mayRetry = error instanceof UserError && isNeeded && attempt < TRIES;
        if (!mayRetry || this.#options.lease.signal.aborted) throw error;
        await wait(RETRY_PAUSE_MS);
      }
    }
  }

  /** Steps of an instance that was left behind have nothing to show. */
  #without(action: Action): Action {
    return action.do === 'prove'
      ? { ...action, on: action.on.filter((name) => !this.#broken.has(name)) }
      : action;
  }

  async #limited(
    action: Action,
    limitMs: number,
    { isInterruptible = false, beside = false }: { isInterruptible?: boolean; beside?: boolean } = {},
  ): Promise<Done> {
    const signals: AbortSignal[] = [this.#options.lease.signal];
    if (beside) signals.push(this.#abandon.signal);
    if (isInterruptible && this.#options.signal) signals.push(this.#options.signal);
    const perform = this.#options.perform ?? ((one, limits) => carryOut(one, this.#context(), limits));
    return await withinLimit(limitMs, signals, (limits) => perform(action, limits));
  }

  /** An instance that nothing else depends on gets back what it had, and its further steps are left out. */
  async #leaveBehind({ bystander: name = '' }: Step, message: string): Promise<void> {
    if (this.#broken.has(name)) return;
    this.#broken.add(name);
    this.#left.push(
      `${name} was left behind: ${message}; see what keeps it from applying (\`SHOW PROCESSLIST\` there), then \`failover relocate ${name} ${this.#plan.to}\``,
    );
    const own = this.#begun.filter(({ step }) => step.bystander === name);
    await this.#undo(own);
    this.#begun = this.#begun.filter((one) => !own.includes(one));
  }

  /** Returns false when something could not be taken back. */
  async #undo(begun: readonly Begun[] = this.#begun): Promise<boolean> {
    const left = await takeBack(begun, {
      record: this.#record,
      perform: (action, limitMs) => this.#limited(action, limitMs),
      confirm: () => this.#options.lease.confirm(),
      whyLost: () => (this.#leaseIsLost ? this.#whyLost() : undefined),
      takenBack: (action, done) => {
        this.#record.noteMachine(action, done);
        if (action.do === 'make-writable' && action.instance === this.#plan.from)
          this.#acceptedAt = performance.now();
      },
    });
    this.#left.push(...left);
    return left.length === 0;
  }

  /**
   * A step that the plan cannot do without has failed: nothing further is built on it, and no temporary state stays.
   */
  async #giveUp(stages: readonly Stage[]): Promise<void> {
    for (const step of stages.flat()) {
      if (!step.always) {
        if (!step.optional) this.#left.push(`${describe(step)}: not tried`);
        continue;
      }
      const message = await this.#runStep(step, false);
      if (message !== undefined) this.#left.push(`${describe(step)}: ${message}`);
    }
    if (!this.#begun.some(({ step }) => step.action.do === 'hold-writers')) return;
    try {
      await this.#limited({ do: 'release-writers' }, LAST_ACTION_MS);
    } catch (error) {
      this.#left.push(`release-writers: ${messageOf(error)}`);
    }
  }

  async #awaitBeside(): Promise<string | undefined> {
    await Promise.all(this.#beside);
    this.#warnOfAckers();
    return this.#left.length === 0 ? undefined : this.#left.join('\n');
  }

  #warnOfAckers(): void {
    const { kind, from, to } = this.#plan;
    if (kind !== 'failover' || from === undefined || !this.#isPast || this.#isSilenced) return;
    this.#left.push(...[...this.#unmoved].map((name) => mayAcknowledge(name, from, to)));
  }

  async #tellFailure(message: string): Promise<void> {
    const { ports, cluster } = this.#options;
    if (cluster.settings.hooks['after-failure'] === undefined) return;
    try {
      const limit = AbortSignal.timeout(LAST_HOOK_MS);
      await ports.hooks('after-failure', { ...this.#context().event, message }, limit);
    } catch (error) {
      this.#left.push(`hook after-failure: ${messageOf(error)}`);
    }
  }

  async #end(outcome: Outcome['outcome'], message: string | undefined): Promise<Outcome> {
    const plan = this.#plan;
    const { lease } = this.#options;
    const refused = this.#refusedAt;
    const result: Outcome = {
      id: this.#record.id,
      epoch: lease.epoch,
      kind: plan.kind,
      from: plan.from,
      to: plan.to,
      outcome,
      unwritableMs:
        refused === undefined || this.#acceptedAt === undefined
          ? undefined
          : Math.round(this.#acceptedAt - refused),
      lostGtids: outcome === 'undone' ? '' : plan.lost,
      accepted: plan.accepted ?? [],
      fenced: outcome === 'undone' ? [] : [...this.#fenced],
      rejoined: outcome === 'undone' ? [] : [...this.#rejoined],
      ms: this.#record.ms,
      warnings: this.#warnings,
      left: this.#left,
      message,
    };
    try {
      await this.#record.end(outcome, message);
    } catch (error) {
      // The servers are as the result says; a failure to store that must not hide it.
      this.#left.push(`the journal could not be written: ${messageOf(error)}`);
    }
    return result;
  }

  /** What the actions need beside their own fields. Who becomes the primary may be decided half way. */
  #context(): ActionContext {
    const { cluster, ports, lease, reason, progress } = this.#options;
    const { kind, from, to, lost } = this.#plan;
    const common = { id: this.#record.id, epoch: lease.epoch, kind, to, reason };
    return {
      cluster,
      ports,
      row: { ...common, from: from ?? '' },
      event: { ...common, cluster: cluster.name, from, lostGtids: lost },
      silentBalancers: this.#silentBalancers,
      progress,
    };
  }

  #stopsWrites(step: Step): boolean {
    return step.action.do === 'make-read-only' && step.action.instance === this.#plan.from;
  }

  #allowsWrites(step: Step): boolean {
    return step.action.do === 'make-writable' && step.action.instance === this.#plan.to;
  }

  #isCrucial(step: Step): boolean {
    return step.irreversible === true || this.#allowsWrites(step);
  }

  #isOfOld(step: Step): boolean {
    return instanceOf(step.action) === this.#plan.from;
  }
}
