import { poll } from '../../lib/async.ts';
import { EXIT, formatProblem, type Problem, UserError } from '../../lib/errors.ts';
import { type Batch, type Move, nextBatch, type RollState, type RollWish } from './next.ts';
import { lacks, objections } from './objections.ts';
import type { Phase, RollEvent, RollSettings } from './record.ts';
import type { RollSurvey } from './survey.ts';

/** What a roll acts on. All may be repeated; what goes wrong is a `UserError`. */
export interface RollPorts {
  survey(): Promise<RollSurvey>;
  /** Moves the primary away; a sentence about what became of it. */
  move(move: Move, signal: AbortSignal): Promise<string>;
  /**
   * Takes a server, or a balancer, out of service; a sentence when there is something to say. When it rejects, or the
   * signal comes, the host is in service as before.
   */
  drain(host: string, tell: (message: string) => void, signal: AbortSignal): Promise<string | undefined>;
  /** Does the work on these hosts; a sentence for each on which it failed. */
  work(hosts: readonly string[]): Promise<ReadonlyMap<string, string>>;
  undrain(host: string): Promise<void>;
}

export interface RollOptions {
  readonly id: string;
  readonly purpose: string;
  readonly who: string;
  /** To be kept, for whoever goes on with it. */
  readonly settings?: RollSettings;
  /** Who is done already, when this goes on with a roll that was cut off. */
  readonly from: RollState & { readonly worked: ReadonlySet<string> };
  /** How long what may pass by itself is waited for. */
  readonly timeoutMs: number;
  /** How long a host has to be well before the next one goes. */
  readonly settleMs: number;
  /** Stops the roll: a host that is worked on is finished first. */
  readonly signal: AbortSignal;
  /** Resolves when what happened is kept: nothing goes on before. */
  readonly emit: (event: RollEvent) => Promise<void>;
}

export interface RollResult {
  readonly outcome: 'done' | 'stopped' | 'interrupted';
  readonly problems: readonly Problem[];
}

const EVERY_MS = 250;
/** How often a primary's move may fail in a row: one that fails is taken back, and what was in its way passes mostly. */
const MOVE_TRIES = 3;

/** Takes the hosts out one batch after the other, works on them and brings them back, until all are done or one is not well. */
export async function executeRoll(
  wish: RollWish,
  ports: RollPorts,
  options: RollOptions,
): Promise<RollResult> {
  const { id, purpose, who, settings } = options;
  const at = Date.now();
  const how = settings === undefined ? {} : { settings };
  await options.emit({ type: 'roll', id, purpose, who, at, hosts: wish.hosts, ...how });
  const result = await new Roll(wish, ports, options).run();
  const message = result.problems.map(formatProblem).join('\n');
  await options.emit({
    type: 'roll-end',
    id,
    at: Date.now(),
    outcome: result.outcome,
    ...(message === '' ? {} : { message }),
  });
  return result;
}

class Roll {
  readonly #wish: RollWish;
  readonly #ports: RollPorts;
  readonly #options: RollOptions;
  readonly #done: Set<string>;
  readonly #begun: Set<string>;
  readonly #worked: Set<string>;
  /** Each primary moves away from a host once; more often somebody else moves it back. */
  #movesLeft: number;
  #failedMoves = 0;

  constructor(wish: RollWish, ports: RollPorts, options: RollOptions) {
    this.#wish = wish;
    this.#ports = ports;
    this.#options = options;
    this.#done = new Set(options.from.done);
    this.#begun = new Set(options.from.begun);
    this.#worked = new Set(options.from.worked);
    this.#movesLeft = 3 * wish.hosts.length;
  }

  async run(): Promise<RollResult> {
    try {
      while (!this.#options.signal.aborted) {
        const batch = await this.#allowedBatch();
        if (batch === undefined) return { outcome: 'done', problems: [] };
        const [move] = batch.moves;
        if (move === undefined) await this.#take(batch);
        else await this.#moveAway(move, batch);
      }
    } catch (error) {
      if (error instanceof UserError) return { outcome: 'stopped', problems: error.problems };
      if (!this.#options.signal.aborted || !isAbort(error)) throw error;
    }
    return { outcome: 'interrupted', problems: [] };
  }

  /** The next batch, once the rest of the site can do without it; rejects when it cannot for too long. */
  async #allowedBatch(): Promise<Batch | undefined> {
    const { timeoutMs, signal } = this.#options;
    let waitsFor: readonly Problem[] = [];
    let batch: Batch | undefined;
    const isAllowed = await poll(
      async () => {
        const survey = await this.#look();
        if ('problems' in survey) {
          waitsFor = survey.problems;
          return undefined;
        }
        const before = batch?.hosts ?? [];
        batch = nextBatch(survey, this.#wish, { done: this.#done, begun: this.#begun });
        const now = batch?.hosts ?? [];
        const passedOver = before.filter((host) => !now.includes(host));
        await this.#tell(passedOver, 'check', 'done', 'others go first');
        if (batch === undefined) return true;
        if (now.join() !== before.join()) await this.#tell(now, 'check', 'running');
        const against = objections(survey, batch, this.#wish, this.#begun);
        if (against.some(({ forGood }) => forGood)) throw await this.#failed(batch.hosts, 'check', against);
        waitsFor = await this.#waits(batch.hosts, 'check', waitsFor, against);
        return waitsFor.length === 0 ? true : undefined;
      },
      { everyMs: EVERY_MS, withinMs: timeoutMs, signal },
    );
    if (!isAllowed) throw await this.#failed(batch?.hosts ?? [], 'check', waitsFor);
    if (batch === undefined) return undefined;
    await this.#tell(batch.hosts, 'check', 'done');
    return batch;
  }

  async #moveAway(move: Move, { hosts }: Batch): Promise<void> {
    if (this.#movesLeft-- === 0) {
      throw await this.#failed(hosts, 'move', [
        { message: `what moves away from ${hosts.join()} comes back again and again` },
      ]);
    }
    try {
      await this.#phase(hosts, 'move', async () => await this.#ports.move(move, this.#options.signal));
      this.#failedMoves = 0;
    } catch (error) {
      if (!(error instanceof UserError) || ++this.#failedMoves === MOVE_TRIES) throw error;
    }
  }

  async #take(batch: Batch): Promise<void> {
    const { hosts, drains } = batch;
    await this.#drainAll(drains);
    const open = hosts.filter((host) => !this.#worked.has(host));
    const failures = open.length > 0 ? await this.#work(open) : new Map<string, string>();
    // Those that are well come back, whatever became of their neighbours.
    for (const host of hosts) if (!failures.has(host)) await this.#comeBack(host, drains.includes(host));
    if (failures.size === 0) return;
    throw new UserError(
      [...failures].map(([host, message]) => ({ message: `${host}: ${message}` })),
      { exitCode: EXIT.failed },
    );
  }

  /** When one stays in service, those that left before it and were not worked on come back. */
  async #drainAll(hosts: readonly string[]): Promise<void> {
    const left: string[] = [];
    try {
      for (const host of hosts) {
        await this.#phase([host], 'drain', async () => {
          const tell = (message: string): void => void this.#tell([host], 'drain', 'waiting', message);
          return await this.#ports.drain(host, tell, this.#options.signal);
        });
        if (!this.#begun.has(host)) left.push(host);
        this.#begun.add(host);
      }
    } catch (error) {
      for (const host of left) {
        await this.#phase([host], 'undrain', async () => await this.#ports.undrain(host));
        this.#begun.delete(host);
      }
      throw error;
    }
  }

  /** What went wrong, by host. */
  async #work(hosts: readonly string[]): Promise<ReadonlyMap<string, string>> {
    for (const host of hosts) this.#begun.add(host);
    await this.#tell(hosts, 'work', 'running');
    const failures = await this.#ports.work(hosts);
    for (const host of hosts) {
      const message = failures.get(host);
      await this.#tell([host], 'work', message === undefined ? 'done' : 'failed', message);
      if (message === undefined) this.#worked.add(host);
    }
    return failures;
  }

  async #comeBack(host: string, isDrained: boolean): Promise<void> {
    await this.#phase([host], 'recover', async () => {
      await this.#untilWell(host, 'recover', { needsService: false, forMs: 0 });
    });
    if (isDrained) await this.#phase([host], 'undrain', async () => await this.#ports.undrain(host));
    await this.#phase([host], 'settle', async () => {
      await this.#untilWell(host, 'settle', { needsService: isDrained, forMs: this.#options.settleMs });
    });
    this.#begun.delete(host);
    this.#done.add(host);
  }

  /** Waits until a host lacks nothing for some time without a break; rejects with what it lacks at the end. */
  async #untilWell(
    host: string,
    phase: Phase,
    { needsService, forMs }: { readonly needsService: boolean; readonly forMs: number },
  ): Promise<void> {
    let waitsFor: readonly Problem[] = [];
    let wellSince: number | undefined;
    const isWell = await poll(
      async () => {
        const survey = await this.#look();
        if ('problems' in survey) {
          wellSince = undefined;
          waitsFor = await this.#waits([host], phase, waitsFor, survey.problems);
          return undefined;
        }
        const server = survey.servers.find((one) => one.host === host);
        const lacking = [
          ...lacks(survey, host),
          ...(needsService && server?.trouble !== undefined
            ? [{ message: `${host}: ${server.trouble}` }]
            : []),
        ];
        waitsFor = await this.#waits([host], phase, waitsFor, lacking);
        wellSince = lacking.length === 0 ? (wellSince ?? performance.now()) : undefined;
        return wellSince !== undefined && performance.now() - wellSince >= forMs ? true : undefined;
      },
      { everyMs: EVERY_MS, withinMs: this.#options.timeoutMs + forMs },
    );
    if (isWell) return;
    throw new UserError(
      waitsFor.length > 0
        ? waitsFor
        : [{ message: `${host} was not well for ${forMs / 1000} s without a break` }],
      { exitCode: EXIT.failed },
    );
  }

  /** That a site cannot be read passes by itself more often than not: the way to it is what is worked on, too. */
  async #look(): Promise<RollSurvey | { readonly problems: readonly Problem[] }> {
    try {
      return await this.#ports.survey();
    } catch (error) {
      if (error instanceof UserError) return { problems: error.problems };
      throw error;
    }
  }

  /** Tells what is waited for when that has changed. */
  async #waits(
    hosts: readonly string[],
    phase: Phase,
    before: readonly Problem[],
    now: readonly Problem[],
  ): Promise<readonly Problem[]> {
    const text = (problems: readonly Problem[]): string => problems.map(({ message }) => message).join('; ');
    if (now.length > 0 && text(now) !== text(before)) await this.#tell(hosts, phase, 'waiting', text(now));
    return now;
  }

  async #phase(hosts: readonly string[], phase: Phase, work: () => Promise<string | void>): Promise<void> {
    await this.#tell(hosts, phase, 'running');
    let said: string | undefined | void;
    try {
      said = await work();
    } catch (error) {
      await this.#tell(hosts, phase, 'failed', error instanceof Error ? error.message : String(error));
      throw error;
    }
    await this.#tell(hosts, phase, 'done', said ?? undefined);
  }

  async #failed(hosts: readonly string[], phase: Phase, problems: readonly Problem[]): Promise<UserError> {
    const error = new UserError(problems, { exitCode: EXIT.failed });
    await this.#tell(hosts, phase, 'failed', error.message);
    return error;
  }

  async #tell(
    hosts: readonly string[],
    phase: Phase,
    status: 'running' | 'waiting' | 'done' | 'failed',
    message?: string,
  ): Promise<void> {
    for (const host of hosts) {
      const at = Date.now();
      await this.#options.emit({
        type: 'phase',
        host,
        phase,
        status,
        at,
        ...(message === undefined ? {} : { message }),
      });
    }
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
