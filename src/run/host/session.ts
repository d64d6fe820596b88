import type { FactQuery } from '../../facts/fact.ts';
import { UserError } from '../../lib/errors.ts';
import { command } from '../../lib/shell.ts';
import { contentSize, type Step, type StepOutput } from '../../steps/step.ts';
import type { Connection, ScriptResult } from '../../transport/transport.ts';
import { actorKey, loginKey, type Actor, type Login } from './actor.ts';
import { FactCache, gathering, gatheringScript } from './gather.ts';
import { networkStep } from './network-step.ts';
import { joinSections, type Section } from './sections.ts';
import { StepFailure } from './step-failure.ts';
import { isScripted, stepScript, temporaryPath, type ScriptedStep } from './step-script.ts';

/** Content beyond this goes ahead as an upload instead of within the script. */
const INLINE_CONTENT_LIMIT = 256 * 1024;

export interface ApplyOptions {
  /** Facts to read in the same round trip, after the steps. */
  readonly refresh: readonly FactQuery[];
  /** Script to run before the steps, in the same round trip. */
  readonly before?: string | undefined;
  readonly onLine?: ((line: string) => void) | undefined;
}

/** One target in a run: its connection, and what is known of it. Nothing is opened before it is needed. */
export class HostSession {
  readonly name: string;
  readonly #connect: (login: Login) => Promise<Connection>;
  readonly #worldAge: () => number;
  readonly #caches = new Map<string, FactCache>();
  readonly #connections = new Map<string, Promise<Connection>>();
  /** Round trips made so far, for the curious and for tests. */
  roundTrips = 0;

  constructor(name: string, connect: (login: Login) => Promise<Connection>, worldAge: () => number) {
    this.name = name;
    this.#connect = connect;
    this.#worldAge = worldAge;
  }

  connection(actor: Pick<Actor, 'login'>): Promise<Connection> {
    const key = loginKey(actor.login);
    let connection = this.#connections.get(key);
    if (!connection) {
      connection = this.#connect(actor.login ?? {});
      this.#connections.set(key, connection);
      // The next task may have more luck.
      connection.catch(() => this.#connections.delete(key));
    }
    return connection;
  }

  /** Forgets the connections and everything known; the next use connects anew. */
  async disconnect(): Promise<void> {
    const old = [...this.#connections.values()];
    this.#connections.clear();
    this.forget();
    await Promise.all(
      old.map((opened) =>
        opened.then(
          (connection) => connection.close(),
          () => undefined,
        ),
      ),
    );
  }

  facts(actor: Actor): FactCache {
    const key = actorKey(actor);
    let cache = this.#caches.get(key);
    if (!cache) {
      cache = new FactCache(this.#worldAge);
      this.#caches.set(key, cache);
    }
    return cache;
  }

  /** Something changed on the host: what was read before may be wrong now. */
  forget(): void {
    for (const cache of this.#caches.values()) cache.clear();
  }

  /** Reads facts in one round trip, whether they are known already or not, within the actor's limit in time. */
  async read(actor: Actor, queries: readonly FactQuery[]): Promise<void> {
    if (queries.length === 0) return;
    const gathered = gathering(queries);
    const joined = gatheringScript(gathered);
    const { timeoutMs } = actor;
    const result = await this.#run(joined.script, actor, { timeoutMs });
    if (result.timedOut)
      throw new UserError(`reading the host's state took longer than the task's timeout (${timeoutMs} ms)`);
    this.facts(actor).store(gathered.queries, gathered.parse(joined.split(result.stdout, result.stderr)));
  }

  /**
   * Does the steps in order; as many as possible share a round trip, and the last one brings fresh facts along.
   * Whatever was known of the host is forgotten first when `changes` says that the steps may change it.
   */
  async apply(actor: Actor, steps: readonly Step[], options: ApplyOptions): Promise<readonly StepOutput[]> {
    const outputs: StepOutput[] = [];
    let before = options.before;
    let index = 0;
    while (index < steps.length) {
      const step = steps[index] as Step;
      if (!isScripted(step)) {
        if (before !== undefined) await this.#run(before, actor, {});
        before = undefined;
        outputs.push(await networkStep(step, this, actor));
        index++;
        continue;
      }
      const batch: ScriptedStep[] = [];
      for (let next = steps[index]; next && isScripted(next); next = steps[index + batch.length])
        batch.push(next);
      index += batch.length;
      const refresh = index === steps.length ? options.refresh : [];
      outputs.push(...(await this.#applyBatch(actor, batch, { ...options, before, refresh })));
      before = undefined;
    }
    return outputs;
  }

  async #applyBatch(
    actor: Actor,
    steps: readonly ScriptedStep[],
    options: ApplyOptions,
  ): Promise<StepOutput[]> {
    const uploads = new Map<ScriptedStep, string>();
    try {
      return await this.#uploadAndApply(actor, steps, options, uploads);
    } catch (error) {
      // A step before the write may have failed; what was sent ahead must not stay on the disk.
      if (uploads.size > 0)
        await this.#run(command(['rm', '-f', ...uploads.values()]), actor, {}).catch(() => {});
      throw error;
    }
  }

  async #uploadAndApply(
    actor: Actor,
    steps: readonly ScriptedStep[],
    options: ApplyOptions,
    uploads: Map<ScriptedStep, string>,
  ): Promise<StepOutput[]> {
    const connection = await this.connection(actor);
    for (const step of steps) {
      if (step.kind === 'write' && contentSize(step.content) > INLINE_CONTENT_LIMIT) {
        const preferred = temporaryPath(step.path);
        uploads.set(step, await connection.upload(step.content, { become: actor.become, preferred }));
      }
    }
    const before: Section[] =
      options.before === undefined ? [] : [{ script: options.before, required: true }];
    const stepSections = steps.map((step): Section => ({
      script: stepScript(step, actor.environment, uploads.get(step)),
      required: step.kind !== 'command',
    }));
    const gathered = gathering(options.refresh);
    const joined = joinSections([...before, ...stepSections, ...gathered.sections]);
    const limits = steps.map((step) => (step.kind === 'write' ? undefined : step.timeoutMs));
    const timeoutMs = limits.reduce(
      (sum, limit) => (limit === undefined ? sum : (sum ?? 0) + limit),
      actor.timeoutMs,
    );
    const startedAt = new Date();
    const result = await this.#run(joined.script, actor, { timeoutMs, onLine: options.onLine });
    const ms = Date.now() - startedAt.getTime();
    const results = joined.split(result.stdout, result.stderr);

    const outputs = steps.map((step, position): StepOutput => {
      const section = results[before.length + position];
      if (step.kind === 'command' || (step.kind === 'script' && section?.status === 0)) {
        return {
          kind: 'exit',
          status: section?.status ?? result.status,
          stdout: section?.stdout ?? result.stdout,
          stderr: section?.stderr ?? result.stderr,
          timedOut: result.timedOut,
          startedAt,
          ms,
        };
      }
      if (section?.status === 0) return { kind: 'done' };
      const description = step.kind === 'write' ? `writing ${step.path}` : step.description;
      if (result.timedOut)
        throw new StepFailure(`${description} (time limit of ${timeoutMs} ms reached)`, 124, '');
      const said = section ?? { status: result.status, stdout: result.stdout, stderr: result.stderr };
      throw new StepFailure(
        description,
        said.status,
        said.stderr.toString().trim() || said.stdout.toString().trim(),
      );
    });

    if (options.refresh.length > 0 && !result.timedOut) {
      const facts = gathered.parse(results.slice(before.length + steps.length));
      this.forget();
      this.facts(actor).store(gathered.queries, facts);
    }
    return outputs;
  }

  /** Writes one file, in a round trip of its own. */
  async write(actor: Actor, step: Extract<Step, { kind: 'write' }>): Promise<void> {
    await this.apply(actor, [step], { refresh: [] });
  }

  /** Runs a script of the engine's own, such as the bookkeeping of handlers. */
  async script(actor: Actor, script: string): Promise<ScriptResult> {
    return await this.#run(script, actor, {});
  }

  async #run(
    script: string,
    actor: Actor,
    options: { timeoutMs?: number | undefined; onLine?: ((line: string) => void) | undefined },
  ): Promise<ScriptResult> {
    const connection = await this.connection(actor);
    this.roundTrips++;
    const { onLine } = options;
    const chunks: Buffer[] = [];
    const onStdout = (chunk: Buffer): void => {
      chunks.push(chunk);
      const last = lastLine(chunk);
      if (last !== undefined) onLine?.(last);
    };
    const result = await connection.run(script, {
      become: actor.become,
      timeoutMs: options.timeoutMs,
      onStdout: onLine ? onStdout : undefined,
    });
    return onLine ? { ...result, stdout: Buffer.concat(chunks) } : result;
  }
}

/** The last line of a chunk that has one: enough to see that a long step is alive. */
function lastLine(chunk: Buffer): string | undefined {
  return chunk
    .toString()
    .split('\n')
    .map((line) => line.trim())
    .findLast((line) => line !== '');
}
