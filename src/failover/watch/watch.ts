import { setTimeout as wait } from 'node:timers/promises';

import { UserError } from '../../lib/errors.ts';
import type { Cluster } from '../cluster.ts';
import { EMPTY_MEMORY } from '../coordination/records.ts';
import type { Notification, Notifier } from '../notify.ts';
import { observe } from '../observe.ts';
import type { Outcome } from '../outcome.ts';
import type { Ports } from '../ports.ts';
import type { Problem } from '../problem.ts';
import { problems } from '../problems.ts';
import type { BalancerView, Memory } from '../topology.ts';
import { fenceMachine } from './fence-machine.ts';
import { type History, keyOf, nextHistory, silentFor } from './history.ts';
import { judge, type Verdict } from './judge.ts';
import type { WatchEvent, WatchLog } from './log.ts';
import { patience } from './patience.ts';
import { type Probe, startProbe } from './probe.ts';
import { recover, type Recovered } from './recover.ts';
import { topologyOf } from './situation.ts';
import { keepWatchers } from './presence.ts';

export interface WatchOptions {
  readonly cluster: Cluster;
  readonly ports: Ports;
  /** For lock and journal: `watch@lb1`. */
  readonly who: string;
  readonly log: WatchLog;
  readonly notify: Notifier;
  readonly signal: AbortSignal;
  /** Everybody was asked once. */
  readonly onReady?: (() => void) | undefined;
}

/** A running watch. */
export interface Watch {
  /** Whether it went on looking within the last seconds. */
  isAlive(): boolean;
  /** Ends when the signal came, what was under way has ended, and the lock is free. */
  readonly ended: Promise<void>;
}

const MEMORY_EVERY_MS = 1000;
const BALANCERS_EVERY_MS = 3000;
/** A problem that goes away sooner is not worth a line. */
const TELL_AFTER_MS = 1500;
/** Whoever changes the cluster ends it within this time, or was killed. */
const CHANGE_MS = 20_000;
/** And sooner than this is not worth waking anybody. */
const NOTIFY_AFTER_MS = 15_000;
const ALIVE_MS = 10_000;
/** How often a lock that somebody else has is tried again. */
const HELD_PAUSE_MS = 500;

/** Begins to watch one cluster, and to recover it. */
export function startWatch(options: WatchOptions): Watch {
  const run = new Run(options);
  return { isAlive: () => run.isAlive(), ended: run.run() };
}

class Run {
  readonly #options: WatchOptions;
  readonly #probes: readonly Probe[];
  readonly #patience = patience();
  readonly #told = new Map<string, { readonly problem: Problem; isNotified: boolean }>();
  readonly #refused = new Map<string, string>();
  #memory: Memory = EMPTY_MEMORY;
  #hasMemory = false;
  #storeFailure: string | undefined;
  #balancers: readonly BalancerView[] = [];
  #history: History | undefined;
  #verdict: Verdict['kind'] = 'nothing';
  #acting: Promise<void> | undefined;
  #pausedUntil = 0;
  #waitingFor: string | undefined;
  #lookedAt: number;
  #isReady = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#lookedAt = clock();
    const { cluster, ports } = options;
    this.#probes = cluster.instances.map((spec) => {
      const server = ports.servers.get(spec.name);
      if (!server) throw new Error(`no server for ${spec.name}`);
      return startProbe({ spec, server, settings: cluster.settings, onChange: () => this.#look(), clock });
    });
  }

  isAlive(): boolean {
    return clock() - this.#lookedAt < ALIVE_MS;
  }

  async run(): Promise<void> {
    const { signal, cluster, ports, who, log } = this.#options;
    log({
      event: 'watching',
      level: 'info',
      message: `${who} watches ${cluster.instances.map(({ name }) => name).join(', ')}`,
    });
    const stopped = new AbortController();
    signal.addEventListener('abort', () => stopped.abort(), { once: true });
    if (signal.aborted) stopped.abort();
    const every = (ms: number, work: () => Promise<void>): Promise<void> => repeat(ms, work, stopped.signal);
    await Promise.all([
      every(MEMORY_EVERY_MS, () => this.#readMemory()),
      every(BALANCERS_EVERY_MS, () => this.#readBalancers()),
      every(cluster.settings.pollMs, async () => this.#look()),
      keepWatchers({
        coordination: ports.coordination,
        who,
        signal: stopped.signal,
        topology: () => this.#history?.topology,
      }),
    ]);
    log({ event: 'stopping', level: 'info', message: `${who} stops` });
    for (const probe of this.#probes) probe.stop();
    await this.#acting;
  }

  /** One moment: what is so, what stands for how long, and what follows from it. */
  #look(): void {
    const now = clock();
    this.#lookedAt = now;
    const { cluster, signal, onReady } = this.#options;
    const records = this.#probes.map((probe) => probe.record);
    const surroundings = { balancers: this.#balancers, memory: this.#memory };
    const topology = topologyOf(cluster.name, records, surroundings, now);
    if (topology === undefined) return;
    if (!this.#isReady) {
      this.#isReady = true;
      onReady?.();
    }
    const found = problems(topology, cluster.settings);
    const byName = new Map(records.map((record) => [record.spec.name, record]));
    const history = nextHistory(this.#history, { now, topology, records: byName }, found);
    this.#history = history;
    this.#tell(history);
    const verdict = judge(history, cluster.settings, (problem) => this.#patience.isLeft(problem, now));
    this.#follow(verdict);
    const mayAct =
      !signal.aborted && this.#acting === undefined && now >= this.#pausedUntil && this.#hasMemory;
    if (verdict.kind !== 'recover' || !mayAct) return;
    this.#acting = this.#act(verdict.problem, history).finally(() => {
      this.#acting = undefined;
      // What was seen before it says nothing about what is so now.
      this.#history = undefined;
      for (const probe of this.#probes) probe.wake();
    });
  }

  /** While something may be wrong, everybody is asked often. */
  #follow(verdict: Verdict): void {
    const { log } = this.#options;
    const isUrgent =
      verdict.kind !== 'nothing' &&
      ['failover', 'reopen-primary', 'fence'].includes(verdict.problem.recovery ?? 'failover');
    for (const probe of this.#probes) probe.hurry(isUrgent && verdict.kind === 'suspect');
    if (verdict.kind === 'suspect' && this.#verdict === 'nothing' && isUrgent) {
      const { code, instance, message } = verdict.problem;
      log({ event: 'suspect', level: 'warning', code, instance, message: `${message}; ${verdict.why}` });
    }
    if (verdict.kind === 'nothing' && this.#verdict === 'suspect') {
      log({ event: 'calm', level: 'info', message: 'nothing is left of the suspicion' });
    }
    this.#verdict = isUrgent || verdict.kind !== 'suspect' ? verdict.kind : 'nothing';
  }

  async #act(problem: Problem, history: History): Promise<void> {
    const { cluster, ports, who, signal, log } = this.#options;
    const startedAt = clock();
    const { code, instance } = problem;
    const silent = history.records.get(instance ?? '');
    const result = await recover(problem, history, {
      cluster,
      ports,
      who,
      balancers: this.#balancers,
      signal,
      began: (plan) => {
        const silentMs = silent?.silence === undefined ? undefined : silentFor(silent, startedAt);
        const what =
          plan.from === undefined ? `${plan.kind} of ${plan.to}` : `${plan.kind} ${plan.from} → ${plan.to}`;
        const since = silentMs === undefined ? '' : `; ${instance} is silent for ${Math.round(silentMs)} ms`;
        log({
          event: 'recovering',
          level: 'warning',
          code,
          instance,
          message: `${problem.message}: ${what}${since}`,
        });
        if (plan.kind === 'failover') this.#detected(problem, history);
      },
      report: ({ name, instance: at, status, ms, message }) => {
        if (status === 'running') return;
        log({
          event: 'step',
          level: status === 'failed' ? 'warning' : 'info',
          instance: at,
          ms,
          message: `${name}${at === undefined ? '' : ` on ${at}`} ${status}${message === undefined ? '' : `: ${message}`}`,
        });
      },
    });
    await this.#conclude(problem, result, startedAt);
  }

  async #conclude(problem: Problem, result: Recovered, startedAt: number): Promise<void> {
    const { log } = this.#options;
    const { code, instance } = problem;
    const ms = clock() - startedAt;
    if (result.kind !== 'waiting') this.#waitingFor = undefined;
    switch (result.kind) {
      case 'gone':
        return;
      case 'forgotten':
        log({ event: 'solved', level: 'info', code, instance, message: 'the change had ended by itself' });
        return;
      case 'waiting':
        this.#pausedUntil = clock() + HELD_PAUSE_MS;
        if (this.#waitingFor !== result.why) {
          log({ event: 'waiting', level: 'info', code, instance, message: result.why });
        }
        this.#waitingFor = result.why;
        return;
      case 'refused':
        this.#patience.leave(problem, clock());
        this.#tellRefusal(problem, result);
        return;
      case 'executed':
        await this.#tellOutcome(problem, result.outcome, ms);
    }
  }

  async #tellOutcome(problem: Problem, outcome: Outcome, ms: number): Promise<void> {
    const { log } = this.#options;
    const { code, instance } = problem;
    const { id, epoch, kind, from, to, left, message } = outcome;
    const isPromotion = kind === 'failover' || kind === 'switchover';
    const what = from === undefined ? `${kind} of ${to}` : `${kind} ${from} → ${to}`;
    const rest = left.length === 0 ? '' : `; left: ${left.join('; ')}`;
    const isDone = outcome.outcome === 'done';
    const event: WatchEvent = {
      event: isDone ? 'recovered' : 'failed',
      level: isDone ? (isPromotion ? 'warning' : 'info') : 'critical',
      code,
      instance,
      id,
      epoch,
      ms,
      message: isDone
        ? `${what} done${rest}`
        : `${what} ${outcome.outcome}: ${message ?? 'no reason given'}${rest}`,
    };
    log(event);
    this.#notify({
      event: isDone ? 'recovered' : 'failed',
      level: event.level,
      message: event.message,
      remedy:
        isPromotion && isDone
          ? '`failover history` shows it; `failover ack` lets another one follow'
          : undefined,
      instance: isPromotion ? to : instance,
      code,
      id,
      details: left,
    });
    if (isDone) {
      // What stays in spite of it is not done again at once.
      if (isPromotion) this.#patience.forget(problem);
      else this.#patience.leave(problem, clock());
      return;
    }
    this.#patience.leave(problem, clock());
    if (problem.recovery === 'fence') await fenceMachine(problem, this.#options);
  }

  #tellRefusal(problem: Problem, { refusals }: Extract<Recovered, { kind: 'refused' }>): void {
    const { log } = this.#options;
    const { code, instance } = problem;
    const key = keyOf(problem);
    const reasons = refusals.map((one) => one.code).join(' ');
    if (this.#refused.get(key) === reasons) return;
    this.#refused.set(key, reasons);
    const message = `${problem.message}; nothing is done: ${refusals.map((one) => one.message).join('; ')}`;
    const remedy = refusals[0]?.remedy;
    const level = problem.severity === 'critical' ? 'critical' : 'warning';
    log({ event: 'refused', level, code, instance, message, remedy });
    if (problem.recovery === 'failover') {
      this.#notify({ event: 'refused', level, code, instance, message, remedy });
    }
  }

  /** Tells of what stands, and of what is over. */
  #tell(history: History): void {
    const { log } = this.#options;
    const standing = new Set<string>();
    for (const { problem, since } of history.sightings) {
      const key = keyOf(problem);
      standing.add(key);
      const stood = history.now - since;
      const { code, instance, message, remedy, severity } = problem;
      const level = severity === 'notice' ? 'info' : severity;
      // In the middle of a change everything looks wrong for a moment, and its own steps tell more.
      const isChanging = this.#acting !== undefined || history.topology.memory.unfinished !== undefined;
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
      this.#refused.delete(key);
      const { code, instance } = problem;
      const message = `no longer: ${problem.message}`;
      log({ event: 'solved', level: 'info', code, instance, message });
      if (isNotified) this.#notify({ event: 'solved', level: 'info', code, instance, message });
    }
  }

  /** Nothing waits for those who are told. */
  #detected(problem: Problem, { topology }: History): void {
    const { cluster, ports, log } = this.#options;
    const { code, instance, message } = problem;
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
    ports.hooks('detected', event, AbortSignal.timeout(30_000)).catch((error: unknown) => {
      log({ event: 'hook-failed', level: 'warning', message: messageOf(error) });
    });
  }

  #notify(notification: Omit<Notification, 'cluster'>): void {
    const { cluster, notify } = this.#options;
    void notify({ cluster: cluster.name, ...notification });
  }

  async #readMemory(): Promise<void> {
    const { ports, log } = this.#options;
    try {
      this.#memory = await ports.coordination.memory();
      this.#hasMemory = true;
      if (this.#storeFailure !== undefined) {
        log({ event: 'store-back', level: 'info', message: 'the store of lock and journal answers again' });
      }
      this.#storeFailure = undefined;
    } catch (error) {
      // Without the store nobody has the lease, so nothing is done; the servers do not need it.
      const message = messageOf(error);
      if (this.#storeFailure === undefined) {
        log({
          event: 'store-lost',
          level: 'critical',
          message: `${message}; until it is back, nothing is recovered by itself`,
        });
      }
      this.#storeFailure = message;
    }
  }

  async #readBalancers(): Promise<void> {
    const { cluster, ports } = this.#options;
    const bare = { ...cluster, instances: [] };
    this.#balancers = (await observe(bare, ports, { memory: this.#memory })).balancers;
  }
}

/** A steady clock, in milliseconds. */
function clock(): number {
  return performance.now();
}

async function repeat(ms: number, work: () => Promise<void>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await work();
    await wait(ms, undefined, { signal }).catch(() => {});
  }
}

/** What a user may know; a bug ends the program, and systemd starts it anew. */
function messageOf(error: unknown): string {
  if (error instanceof UserError) return error.message;
  throw error;
}
