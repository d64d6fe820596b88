import type { FactQuery } from '../../facts/fact.ts';
import type { Step, StepOutput } from '../../steps/step.ts';
import type { ScriptResult } from '../../transport/transport.ts';
import type { Actor } from './actor.ts';

export interface ApplyOptions {
  /** Facts to read in the same round trip, after the steps. */
  readonly refresh: readonly FactQuery[];
  /** Script to run before the steps, in the same round trip. */
  readonly before?: string | undefined;
  readonly onLine?: ((line: string) => void) | undefined;
}

export interface Applied {
  readonly outputs: readonly StepOutput[];
  /** Those of the facts to be refreshed that could be read, by the id of their query. */
  readonly facts: ReadonlyMap<string, unknown>;
}

/** What the engine asks of a host. It remembers nothing: what is known of the host is in its session. */
export interface Host {
  readonly name: string;
  /** The machines that it was found to be; the names of a host's connections may lead to different ones. */
  readonly machines: ReadonlySet<string>;
  /** Connects unless that is done, so that `machines` can be told. */
  open(actor: Actor): Promise<void>;
  /** Reads facts in one round trip, within the actor's limit in time: values by the id of their query. */
  read(actor: Actor, queries: readonly FactQuery[]): Promise<ReadonlyMap<string, unknown>>;
  /** Does the steps in order. */
  apply(actor: Actor, steps: readonly Step[], options: ApplyOptions): Promise<Applied>;
  /** Runs a script of the engine's own, such as the bookkeeping of handlers. */
  script(actor: Actor, script: string): Promise<ScriptResult>;
  disconnect(): Promise<void>;
}
