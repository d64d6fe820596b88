import { UserError } from '../../lib/errors.ts';
import type { Plan } from '../plan/action.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Notification, Notifier } from './notify.ts';
import type { Outcome, StepEvent } from '../execute/outcome.ts';
import type { Memory } from '../cluster/memory.ts';
import { pauseAt, pauseText, type Pause } from '../cluster/pause.ts';
import type { Ports } from '../reach/ports.ts';
import type { Problem } from '../problems/problems.ts';
import type { Refusal } from '../plan/refusals.ts';
import { type History, keyOf, matterOf } from './history.ts';
import type { Verdict } from './judge.ts';
import type { WatchEvent, WatchLog } from './log.ts';

export interface TellerOptions {
  readonly cluster: Cluster;
  readonly ports: Pick<Ports, 'hooks'>;
  readonly log: WatchLog;
  readonly notify: Notifier;
}

/** A problem that disappears sooner is not logged. */
const TELL_AFTER_MS = 1500;
/** A change that takes longer than this was probably killed. */
const CHANGE_MS = 20_000;
/** A critical problem that disappears sooner is not notified. */
const NOTIFY_AFTER_MS = 15_000;
const HOOK_LIMIT_MS = 30_000;
/** A matter that was absent for this long counts as a new one; one that returns sooner flaps. */
const FORGET_MS = 600_000;
/** How often people are reminded of a pause that has no end. */
const REMIND_MS = 3_600_000;
/** How long a failover may wait for the lock before people are notified. */
const WAIT_MS = 5000;

/**
 * Reports what the watch sees and does: each event once to the log, and the important ones as notifications. It makes
 * no decisions.
 */
export class Teller {
  readonly #options: TellerOptions;
  readonly #told = new Map<string, { readonly problem: Problem; isNotified: boolean }>();
  /** By matter: the refusals and failures that were already reported. */
  readonly #reasons = new Map<string, { readonly told: Set<string>; seenAt: number }>();
  #lookedAt = 0;
  #verdict: Verdict['kind'] = 'nothing';
  #pause: { readonly pause: Pause; readonly reminders: number } | undefined;
  #waiting: { readonly why: string; readonly since: number; isTold: boolean } | undefined;

  constructor(options: TellerOptions) {
    this.#options = options;
  }

  /**
   * Reports new and solved problems. During a change many problems hold for a moment, and the steps of the change tell
   * more.
   */
  standing(history: History, isChanging: boolean): void {
    const { log } = this.#options;
    const standing = new Set<string>();
    this.#lookedAt = history.now;
    for (const { problem } of history.sightings) {
      const known = this.#reasons.get(matterOf(problem));
      if (known) known.seenAt = history.now;
    }
    for (const [matter, { seenAt }] of this.#reasons) {
      if (history.now - seenAt > FORGET_MS) this.#reasons.delete(matter);
    }
    for (const { problem, since } of history.sightings) {
      const key = keyOf(problem);
      standing.add(key);
      const stood = history.now - since;
      const { code, instance, message, remedy, severity } = problem;
      const level = severity === 'notice' ? 'info' : severity;
      if (stood >= (isChanging ? CHANGE_MS : TELL_AFTER_MS) && !this.#told.has(key)) {
        this.#told.set(key, { problem, isNotified: false });
        log({ event: 'problem', level, code, instance, message, remedy });
      }
      const told = this.#told.get(key);
      if (told && !told.isNotified && stood >= NOTIFY_AFTER_MS && severity === 'critical') {
        told.isNotified = true;
        this.#notify({ event: 'problem', level, code, instance, message, remedy });
      }
    }
    for (const [key, { problem, isNotified }] of this.#told) {
      if (standing.has(key)) continue;
      this.#told.delete(key);
      const { code, instance } = problem;
      const message = `no longer: ${problem.message}`;
      log({ event: 'solved', level: 'info', code, instance, message });
      if (isNotified) this.#notify({ event: 'solved', level: 'info', code, instance, message });
    }
  }

  /** Reminds every hour of a pause without an end, and reports once that a pause has ended. Times since 1970. */
  paused(memory: Memory, at: number): void {
    const pause = pauseAt(memory, at);
    const before = this.#pause;
    if (pause === undefined) {
      this.#pause = undefined;
      if (before === undefined) return;
      const message = `recoveries go on; they were paused by ${before.pause.by}: ${before.pause.reason}`;
      this.#options.log({ event: 'resumed', level: 'info', message });
      // Whoever ran `failover resume` knows it.
      if (before.pause.until !== undefined && at >= before.pause.until)
        this.#notify({ event: 'resumed', level: 'info', message });
      return;
    }
    const reminders = Math.floor((at - pause.at) / REMIND_MS);
    const isReminded = before !== undefined && before.pause.at === pause.at;
    this.#pause = { pause, reminders };
    if (pause.until !== undefined || !isReminded || reminders <= before.reminders) return;
    const message = `${pauseText(pause, at)}; nothing is recovered by itself for ${reminders} h now`;
    const remedy = '`failover resume`, or `failover pause --for 2h REASON` for a pause that ends';
    this.#options.log({ event: 'paused', level: 'warning', message, remedy });
    this.#notify({ event: 'paused', level: 'warning', message, remedy });
  }

  /**
   * Reports an urgent suspicion once, until it is dispelled or a recovery has begun. During a change no suspicion is
   * reported.
   */
  suspicion(verdict: Verdict, isUrgent: boolean, isChanging: boolean): void {
    const { log } = this.#options;
    const before = this.#verdict;
    if (verdict.kind === 'suspect') {
      if (isUrgent && isChanging) return;
      this.#verdict = isUrgent ? 'suspect' : 'nothing';
      if (!isUrgent || before !== 'nothing') return;
      const { code, instance, message } = verdict.problem;
      log({ event: 'suspect', level: 'warning', code, instance, message: `${message}; ${verdict.why}` });
      return;
    }
    this.#verdict = verdict.kind;
    if (verdict.kind === 'nothing' && before === 'suspect') {
      log({ event: 'calm', level: 'info', message: 'nothing is left of the suspicion' });
    }
  }

  /** `silentMs`: for how long the instance had been silent when the recovery was decided. */
  recovering(problem: Problem, plan: Plan, history: History, silentMs: number | undefined): void {
    const { code, instance } = problem;
    const since = silentMs === undefined ? '' : `; ${instance} is silent for ${Math.round(silentMs)} ms`;
    const message = `${problem.message}: ${nameOf(plan)}${since}`;
    this.#options.log({ event: 'recovering', level: 'warning', code, instance, message });
    if (plan.kind === 'failover' && this.#isNew(problem, 'detected')) this.#detected(problem, history);
  }

  step({ name, instance, status, ms, message }: StepEvent): void {
    if (status === 'running') return;
    this.#options.log({
      event: 'step',
      level: status === 'failed' ? 'warning' : 'info',
      instance,
      ms,
      message: `${name}${instance === undefined ? '' : ` on ${instance}`} ${status}${message === undefined ? '' : `: ${message}`}`,
    });
  }

  /**
   * Reports why a recovery waits: somebody else holds the lock, or the store does not answer; undefined: it does not
   * wait. People are notified once when a dead primary is not replaced meanwhile.
   */
  waiting(problem: Problem, why: string | undefined, now: number): void {
    const { code, instance, recovery } = problem;
    if (why === undefined) {
      this.#waiting = undefined;
      return;
    }
    if (why !== this.#waiting?.why) {
      this.#waiting = { why, since: now, isTold: false };
      this.#options.log({ event: 'waiting', level: 'info', code, instance, message: why });
    }
    if (recovery !== 'failover' || this.#waiting.isTold || now - this.#waiting.since < WAIT_MS) return;
    this.#waiting.isTold = true;
    const message = `${problem.message}; nothing is done about it until this is over: ${why}`;
    const remedy = 'end what holds the lock, or `failover promote` by hand when it is free';
    this.#options.log({ event: 'waiting', level: 'critical', code, instance, message, remedy });
    this.#notify({ event: 'refused', level: 'critical', code, instance, message, remedy });
  }

  forgotten({ code, instance }: Problem): void {
    const message = 'the change had ended by itself';
    this.#options.log({ event: 'solved', level: 'info', code, instance, message });
  }

  refusal(problem: Problem, refusals: readonly Refusal[]): void {
    const { code, instance } = problem;
    const reasons = refusals.map((one) => one.code).join(' ');
    if (!this.#isNew(problem, `refused: ${reasons}`)) return;
    const message = `${problem.message}; nothing is done: ${refusals.map((one) => one.message).join('; ')}`;
    const remedy = refusals[0]?.remedy;
    const level = problem.severity === 'critical' ? 'critical' : 'warning';
    this.#options.log({ event: 'refused', level, code, instance, message, remedy });
    if (problem.recovery === 'failover') {
      this.#notify({ event: 'refused', level, code, instance, message, remedy });
    }
  }

  /** Logs every attempt, and notifies people of a failure once for each matter and reason. */
  outcome(problem: Problem, outcome: Outcome, ms: number): void {
    const { code, instance } = problem;
    const { id, epoch, kind, to, left } = outcome;
    const isPromotion = kind === 'failover' || kind === 'switchover';
    const isDone = outcome.outcome === 'done';
    const rest = left.length === 0 ? '' : `; left: ${left.join('; ')}`;
    const event = isDone ? 'recovered' : 'failed';
    const level: WatchEvent['level'] = !isDone ? 'critical' : isPromotion ? 'warning' : 'info';
    const message = isDone
      ? `${nameOf(outcome)} done${rest}`
      : `${nameOf(outcome)} ${outcome.outcome}: ${outcome.message ?? 'no reason given'}${rest}`;
    this.#options.log({ event, level, code, instance, id, epoch, ms, message });
    if (isDone) this.#reasons.delete(matterOf(problem));
    else if (!this.#isNew(problem, `failed: ${reasonOf(message)}`)) return;
    this.#notify({
      event,
      level,
      message,
      remedy:
        isPromotion && isDone
          ? '`failover history` shows it; `failover ack` lets another one follow'
          : undefined,
      instance: isPromotion ? to : instance,
      code,
      id,
      details: left,
    });
  }

  /** Notifies and runs the hook `detected`; the failover does not wait for either. */
  #detected({ code, instance, message }: Problem, { topology }: History): void {
    const { cluster, ports, log } = this.#options;
    this.#notify({ event: 'detected', level: 'critical', code, instance, message });
    if (cluster.settings.hooks['detected'] === undefined) return;
    const event = {
      cluster: cluster.name,
      id: '',
      epoch: topology.memory.epoch,
      kind: code,
      from: instance,
      to: '',
      reason: message,
      lostGtids: '',
    };
    ports.hooks('detected', event, AbortSignal.timeout(HOOK_LIMIT_MS)).catch((error: unknown) => {
      // A bug ends the process, and systemd restarts it.
      if (!(error instanceof UserError)) throw error;
      log({ event: 'hook-failed', level: 'warning', message: error.message });
    });
  }

  /** Whether this reason has not been reported yet for the matter. */
  #isNew(problem: Problem, reason: string): boolean {
    const matter = matterOf(problem);
    const known = this.#reasons.get(matter) ?? { told: new Set(), seenAt: this.#lookedAt };
    this.#reasons.set(matter, known);
    if (known.told.has(reason)) return false;
    known.told.add(reason);
    return true;
  }

  #notify(notification: Omit<Notification, 'cluster'>): void {
    const { cluster, notify } = this.#options;
    void notify({ cluster: cluster.name, ...notification });
  }
}

/** A message without its numbers, which differ from one attempt to the next. */
function reasonOf(message: string): string {
  return message.replaceAll(/(?<![\w-])\d+/g, '#');
}

function nameOf({ kind, from, to }: Pick<Plan, 'kind' | 'from' | 'to'>): string {
  return from === undefined ? `${kind} of ${to}` : `${kind} ${from} → ${to}`;
}
