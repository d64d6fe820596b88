import type { FactQuery } from '../../facts/fact.ts';
import { UserError } from '../../lib/errors.ts';
import { command } from '../../lib/shell.ts';
import { contentSize, type Step, type StepOutput } from '../../steps/step.ts';
import type { Connection, ScriptResult } from '../../transport/transport.ts';
import { loginKey, type Actor, type Login } from './actor.ts';
import { gathering, gatheringScript } from './gather.ts';
import type { Applied, ApplyOptions, Host } from './host.ts';
import { networkStep } from './network-step.ts';
import { joinSections, type Section } from './sections.ts';
import type { SiteActions } from './site-actions.ts';
import { StepFailure } from './step-failure.ts';
import { isScripted, stepScript, temporaryPath, type ScriptedStep } from './step-script.ts';

/** Content beyond this goes ahead as an upload instead of within the script. */
const INLINE_CONTENT_LIMIT = 256 * 1024;

/** A connection, and the machine that it leads to: several names of an inventory may mean one machine. */
export interface Reached {
  readonly connection: Connection;
  readonly machine: string;
}

/** A host that is worked on by scripts over a connection. Nothing is opened before it is needed. */
export class RemoteHost implements Host {
  readonly name: string;
  readonly machines = new Set<string>();
  readonly #connect: (login: Login) => Promise<Reached>;
  readonly #connections = new Map<string, Promise<Connection>>();

  readonly site: SiteActions | undefined;

  constructor(name: string, connect: (login: Login) => Promise<Reached>, site?: SiteActions) {
    this.name = name;
    this.#connect = connect;
    this.site = site;
  }

  async open(actor: Actor): Promise<void> {
    await this.connection(actor);
  }

  connection(actor: Pick<Actor, 'login'>): Promise<Connection> {
    const key = loginKey(actor.login);
    let connection = this.#connections.get(key);
    if (!connection) {
      connection = this.#connect(actor.login ?? {}).then((reached) => {
        this.machines.add(reached.machine);
        return reached.connection;
      });
      this.#connections.set(key, connection);
      // The next task may have more luck.
      connection.catch(() => this.#connections.delete(key));
    }
    return connection;
  }

  /** The next use connects anew. */
  async disconnect(): Promise<void> {
    const old = [...this.#connections.values()];
    this.#connections.clear();
    await Promise.all(
      old.map((opened) =>
        opened.then(
          (connection) => connection.close(),
          () => undefined,
        ),
      ),
    );
  }

  async read(actor: Actor, queries: readonly FactQuery[]): Promise<ReadonlyMap<string, unknown>> {
    const gathered = gathering(queries);
    const joined = gatheringScript(gathered);
    const { timeoutMs } = actor;
    const result = await this.#run(joined.script, actor, { timeoutMs });
    if (result.timedOut)
      throw new UserError(`reading the host's state took longer than the task's timeout (${timeoutMs} ms)`);
    return gathered.parse(joined.split(result.stdout, result.stderr));
  }

  /** As many steps as possible share a round trip, and the last one brings fresh facts along. */
  async apply(actor: Actor, steps: readonly Step[], options: ApplyOptions): Promise<Applied> {
    const outputs: StepOutput[] = [];
    let facts: ReadonlyMap<string, unknown> = new Map();
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
      const applied = await this.#applyBatch(actor, batch, { ...options, before, refresh });
      outputs.push(...applied.outputs);
      facts = applied.facts;
      before = undefined;
    }
    return { outputs, facts };
  }

  async #applyBatch(actor: Actor, steps: readonly ScriptedStep[], options: ApplyOptions): Promise<Applied> {
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
  ): Promise<Applied> {
    const connection = await this.connection(actor);
    for (const step of steps) {
      if (step.kind !== 'write' || 'targetFile' in step.content) continue;
      if (contentSize(step.content) > INLINE_CONTENT_LIMIT) {
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
      if (section?.status === 0) {
        const backup = step.kind === 'write' && step.backup ? section.stdout.toString('utf8') : '';
        return backup === '' ? { kind: 'done' } : { kind: 'done', backup };
      }
      const description = step.kind === 'write' ? `writing ${step.path}` : step.description;
      if (result.timedOut)
        throw new StepFailure(`${description} (time limit of ${timeoutMs} ms reached)`, 124, '');
      const said = section ?? { status: result.status, stdout: result.stdout, stderr: result.stderr };
      throw new StepFailure(
        description,
        said.status,
        said.stderr.toString().trim() || said.stdout.toString().trim(),
        step.kind === 'script' ? step.speaks : undefined,
      );
    });

    const facts =
      options.refresh.length > 0 && !result.timedOut
        ? gathered.parse(results.slice(before.length + steps.length))
        : new Map<string, unknown>();
    return { outputs, facts };
  }

  /** Writes one file, in a round trip of its own. */
  async write(actor: Actor, step: Extract<Step, { kind: 'write' }>): Promise<void> {
    await this.apply(actor, [step], { refresh: [] });
  }

  async script(actor: Actor, script: string): Promise<ScriptResult> {
    return await this.#run(script, actor, {});
  }

  async #run(
    script: string,
    actor: Actor,
    options: { timeoutMs?: number | undefined; onLine?: ((line: string) => void) | undefined },
  ): Promise<ScriptResult> {
    const connection = await this.connection(actor);
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
