import { setTimeout as wait } from 'node:timers/promises';

import { UserError } from '../../lib/errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Topology } from '../cluster/topology.ts';
import { isWanted } from '../cluster/wanted.ts';
import type { Plan } from '../plan/action.ts';
import { yields } from '../plan/yields.ts';
import type { Notifier } from './notify.ts';
import type { Ports } from '../reach/ports.ts';
import type { Problem } from '../problems/problems.ts';
import { problems } from '../problems/problems.ts';
import { fenceMachine } from './fence-machine.ts';
import { type History, nextHistory, silentFor } from './history.ts';
import { judge, type Verdict } from './judge.ts';
import type { WatchLog } from './log.ts';
import { patience } from './patience.ts';
import { retries } from './retries.ts';
import { keepWatchers } from './presence.ts';
import { type Probe, startProbe } from './probe.ts';
import { recover, type Recovered } from './recover.ts';
import { situationOf, topologyOf } from './situation.ts';
import { Surroundings } from './surroundings.ts';
import { type Count, Tally } from './tally.ts';
import { Teller } from './teller.ts';

export interface WatchOptions {
  readonly cluster: Cluster;
  readonly ports: Ports;
  /** The owner in the lock and the journal: `watch@lb1`. */
  readonly who: string;
  readonly log: WatchLog;
  readonly notify: Notifier;
  readonly signal: AbortSignal;
  /** Called when every instance has been queried once. */
  readonly onReady?: (() => void) | undefined;
}

/** What a watch knows of its cluster, and what it has done since it began. */
export interface WatchView {
  /** As of the last look. */
  readonly topology: Topology;
  readonly problems: readonly Problem[];
  /** A change is under way, here or by somebody else. */
  readonly isChanging: boolean;
  /** The problems about which nothing can be done. */
  readonly refused: readonly Problem[];
  readonly counts: readonly Count[];
  /** How long nobody could write when the primary was last moved from here; undefined while it was not. */
  readonly unwritableMs: number | undefined;
}

/** A running watch. */
export interface Watch {
  /** Whether the watch has looked at the cluster within the last seconds. */
  isAlive(): boolean;
  /** What is known of each cluster that has been looked at. */
  views(): readonly WatchView[];
  /**
   * Resolves after the signal, when the current recovery has ended and the lock is released. Rejects when this watch
   * has a bug: then it has stopped, and only it.
   */
  readonly ended: Promise<void>;
}

const MEMORY_EVERY_MS = 1000;
const BALANCERS_EVERY_MS = 3000;
/** A watch that has not looked for this long hangs, unless `failover_poll_ms` is longer. */
const ALIVE_MS = 10_000;
/** Pause before the next attempt to acquire a lock that somebody else holds. */
const HELD_PAUSE_MS = 500;
/** How often the holder of the lock is asked to release it. */
const ASK_AGAIN_MS = 2000;
/** Urgent recoveries: while one of them may be necessary, every instance is queried often. */
const URGENT: readonly Problem['recovery'][] = ['failover', 'reopen-primary', 'fence'];

/** Starts to watch one cluster, and to recover it. */
export function startWatch(options: WatchOptions): Watch {
  const run = new Run(options);
  return { isAlive: () => run.isAlive(), views: () => run.views(), ended: run.run() };
}

class Run {
  readonly #options: WatchOptions;
  readonly #probes: readonly Probe[];
  readonly #surroundings: Surroundings;
  readonly #teller: Teller;
  readonly #patience = patience();
  readonly #retries = retries();
  readonly #tally = new Tally();
  #seen: Pick<WatchView, 'topology' | 'problems' | 'isChanging' | 'refused'> | undefined;
  #history: History | undefined;
  #acting: Acting | undefined;
  /** When this watch last asked for the lock in the memory; -Infinity: it does not ask for it. */
  #askedAt = -Infinity;
  #pausedUntil = 0;
  #lookedAt: number;
  #isReady = false;
  /** Ends the loops: at the signal, or when one of them has failed. */
  readonly #stopped = new AbortController();
  #failure: { readonly error: unknown } | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#lookedAt = clock();
    this.#surroundings = new Surroundings(options);
    this.#teller = new Teller(options);
    const { cluster, ports } = options;
    this.#probes = cluster.instances.map((spec) => {
      const server = ports.servers.get(spec.name);
      if (!server) throw new Error(`no server for ${spec.name}`);
      return startProbe({
        spec,
        server,
        settings: cluster.settings,
        onChange: () => this.#lookSafely(),
        clock,
      });
    });
  }

  isAlive(): boolean {
    const { pollMs } = this.#options.cluster.settings;
    return clock() - this.#lookedAt < Math.max(ALIVE_MS, 3 * pollMs);
  }

  views(): readonly WatchView[] {
    if (this.#seen === undefined) return [];
    const { counts, unwritableMs } = this.#tally;
    return [{ ...this.#seen, counts, unwritableMs }];
  }

  async run(): Promise<void> {
    const { signal, cluster, ports, who, log } = this.#options;
    log({
      event: 'watching',
      level: 'info',
      message: `${who} watches ${cluster.instances.map(({ name }) => name).join(', ')}`,
    });
    const stopped = this.#stopped;
    signal.addEventListener('abort', () => stopped.abort(), { once: true });
    if (signal.aborted) stopped.abort();
    const every = (ms: number, work: () => Promise<void>): Promise<void> => repeat(ms, work, stopped.signal);
    await Promise.all([
      every(MEMORY_EVERY_MS, () => this.#surroundings.readMemory()),
      every(BALANCERS_EVERY_MS, () => this.#surroundings.readBalancers()),
      every(cluster.settings.pollMs, async () => this.#lookSafely()),
      keepWatchers({
        coordination: ports.coordination,
        who,
        signal: stopped.signal,
        topology: () => this.#history?.topology,
        changed: () => this.#surroundings.readMemory(),
      }),
    ]);
    log({ event: 'stopping', level: 'info', message: `${who} stops` });
    for (const probe of this.#probes) probe.stop();
    await this.#acting?.ended;
    if (this.#failure) throw this.#failure.error;
  }

  /** A probe calls this, too, and nobody would hear what it throws. */
  #lookSafely(): void {
    try {
      if (!this.#failure) this.#look();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#stopped.abort();
  }

  /** Judges the current topology, and starts a recovery when one is due. */
  #look(): void {
    const now = clock();
    this.#lookedAt = now;
    const { cluster, signal, onReady } = this.#options;
    const records = this.#probes.map((probe) => probe.record);
    const topology = topologyOf(cluster.name, records, this.#surroundings, now, cluster.settings.pollMs);
    if (topology === undefined) return;
    if (!this.#isReady) {
      this.#isReady = true;
      onReady?.();
    }
    const found = problems(topology, cluster.settings);
    const byName = new Map(records.map((record) => [record.spec.name, record]));
    const history = nextHistory(this.#history, { now, topology, records: byName }, found);
    this.#history = history;
    const isChanging = this.#acting !== undefined || topology.memory.unfinished !== undefined;
    this.#seen = { topology, problems: found, isChanging, refused: this.#tally.refused(history) };
    this.#teller.paused(topology.memory, topology.at);
    this.#teller.standing(history, isChanging);
    const situation = situationOf(topology);
    // Another watch waits for the lock to replace a dead primary.
    const leavesLock = isWanted(topology.memory, this.#options.who, topology.at);
    const verdict = judge(
      history,
      cluster.settings,
      (problem) =>
        this.#patience.isLeft(problem, now, situation) || (leavesLock && !URGENT.includes(problem.recovery)),
    );
    this.#follow(verdict, isChanging);
    const mayAct =
      !signal.aborted &&
      this.#acting === undefined &&
      now >= this.#pausedUntil &&
      this.#surroundings.hasMemory;
    this.#giveWay(verdict, topology);
    if (verdict.kind !== 'recover' || !mayAct) return;
    const way = new AbortController();
    const acting: Acting = {
      problem: verdict.problem,
      way,
      mayYield: false,
      ended: this.#act(verdict.problem, history, way.signal, (plan) => {
        acting.mayYield = yields(plan);
      })
        .catch((error: unknown) => this.#fail(error))
        .finally(() => {
          this.#acting = undefined;
          this.#history = undefined;
          for (const probe of this.#probes) probe.wake();
        }),
    };
    this.#acting = acting;
  }

  /** Interrupts a recovery that can wait, when this or another watch must replace a dead primary. */
  #giveWay(verdict: Verdict, { memory, at }: Topology): void {
    const acting = this.#acting;
    if (acting?.mayYield !== true || acting.way.signal.aborted) return;
    const { who, log } = this.#options;
    const isOurs = verdict.kind === 'recover' && verdict.problem.recovery === 'failover';
    if (!isOurs && !isWanted(memory, who, at)) return;
    const { code, instance } = acting.problem;
    const message = 'this gives way to a failover that needs the lock';
    log({ event: 'waiting', level: 'info', code, instance, message });
    acting.way.abort();
  }

  /** Queries every instance often while something urgent may be wrong. */
  #follow(verdict: Verdict, isChanging: boolean): void {
    const isUrgent = verdict.kind !== 'nothing' && URGENT.includes(verdict.problem.recovery ?? 'failover');
    for (const probe of this.#probes) probe.hurry(isUrgent && verdict.kind === 'suspect');
    this.#teller.suspicion(verdict, isUrgent, isChanging);
  }

  async #act(
    problem: Problem,
    history: History,
    way: AbortSignal,
    planned: (plan: Plan) => void,
  ): Promise<void> {
    const { cluster, ports, who } = this.#options;
    const signal = AbortSignal.any([this.#options.signal, way]);
    const startedAt = clock();
    const record = history.records.get(problem.instance ?? '');
    const result = await recover(problem, history, {
      cluster,
      ports,
      who,
      balancers: this.#surroundings.balancers,
      signal,
      retry: this.#retries.next(problem),
      began: (plan) => {
        planned(plan);
        const silentMs = record?.silence === undefined ? undefined : silentFor(record, startedAt);
        this.#teller.recovering(problem, plan, history, silentMs);
      },
      report: (event) => this.#teller.step(event),
    });
    await this.#sayThatWeWait(problem, result);
    if (way.aborted && result.kind === 'executed' && result.outcome.outcome !== 'done') {
      await this.#seeAnew();
      return;
    }
    await this.#conclude(problem, result, startedAt, situationOf(history.topology));
  }

  /** Asks the holder of the lock to release it for a failover, and withdraws the request afterwards. */
  async #sayThatWeWait({ recovery }: Problem, { kind }: Recovered): Promise<void> {
    const isWaiting = recovery === 'failover' && kind === 'waiting';
    if (isWaiting ? clock() - this.#askedAt < ASK_AGAIN_MS : this.#askedAt === -Infinity) return;
    this.#askedAt = isWaiting ? clock() : -Infinity;
    const { ports, who } = this.#options;
    try {
      await ports.coordination.remember((memory) => {
        if (isWaiting) return { ...memory, wanted: { by: who, at: Date.now() } };
        return memory.wanted?.by === who ? { ...memory, wanted: undefined } : memory;
      });
    } catch (error) {
      // `Surroundings` reports that the store is lost.
      if (!(error instanceof UserError)) throw error;
    }
  }

  async #conclude(problem: Problem, result: Recovered, startedAt: number, situation: string): Promise<void> {
    const teller = this.#teller;
    this.#tally.ended(problem, result, clock() - startedAt);
    teller.waiting(problem, result.kind === 'waiting' ? result.why : undefined, clock());
    switch (result.kind) {
      case 'gone':
        await this.#seeAnew();
        return;
      case 'forgotten':
        teller.forgotten(problem);
        await this.#seeAnew();
        return;
      case 'waiting':
        this.#pausedUntil = clock() + HELD_PAUSE_MS;
        return;
      case 'refused':
        this.#patience.leave(problem, result.attempt, clock(), situation);
        teller.refusal(problem, result.refusals);
        return;
      case 'executed': {
        const { kind, outcome } = result.outcome;
        teller.outcome(problem, result.outcome, clock() - startedAt);
        const isOver = outcome === 'done' && (kind === 'failover' || kind === 'switchover');
        // A problem that persists is not recovered again at once.
        this.#retries.note(problem, result.outcome);
        if (isOver) this.#patience.forget(problem);
        else this.#patience.leave(problem, 'tried', clock(), situation);
        if (outcome !== 'done' && problem.recovery === 'fence') await fenceMachine(problem, this.#options);
        await Promise.all([this.#seeAnew(), this.#surroundings.readBalancers()]);
      }
    }
  }

  /**
   * Reads the memory and every answering instance again: states from before a change would lead to the same decision
   * once more. Silent instances are not waited for, since every recovery queries them again.
   */
  async #seeAnew(): Promise<void> {
    const answering = this.#probes.filter(({ record }) => record.silence === undefined);
    await Promise.all([this.#surroundings.readMemory(), ...answering.map((probe) => probe.renew())]);
  }
}

interface Acting {
  readonly problem: Problem;
  /** Interrupts the recovery. */
  readonly way: AbortController;
  /** Whether the plan may be interrupted; false until there is a plan. */
  mayYield: boolean;
  readonly ended: Promise<void>;
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
