import type { FactQuery } from '../facts/fact.ts';
import type { Value } from '../lib/value.ts';
import type { FileContent, Step, StepOutput } from './step.ts';

/** What `--diff` shows of one changed thing: text before and after, compared line by line by the report. */
export interface Diff {
  /** The path of a file, or what else changed ("package nginx"). */
  readonly subject: string;
  readonly before: string;
  readonly after: string;
}

/** A module's return values besides `changed`, `failed`, `skipped`, `diff`, which the engine sets. Ansible's names. */
export type Result = Readonly<Record<string, unknown>>;

/** How an action ended. */
export type Outcome =
  | { readonly status: 'ok'; readonly changed: boolean; readonly result: Result }
  | { readonly status: 'failed'; readonly message: string; readonly result: Result };

/**
 * What may be different after something was done, whatever it reports: nothing, the host that it was done on, or
 * anything at all. The user's own commands reach whatever they like (`ssh`, `rsync`, a cluster's tools), and who waits
 * does so for something to change, often elsewhere.
 */
export type Effect = 'nothing' | 'host' | 'anything';

/** What a module decided from its arguments and the facts. */
export type Plan =
  /** The target already is as it should be. */
  | { readonly kind: 'unchanged'; readonly result?: Result }
  /** The target differs. Check mode reports it; otherwise the steps are applied and must all succeed. */
  | {
      readonly kind: 'change';
      readonly diffs: readonly Diff[];
      readonly steps: readonly Step[];
      readonly result?: Result;
      /** Return values that only the steps' outputs can tell. */
      readonly finish?: (outputs: readonly StepOutput[]) => Outcome;
    }
  /** Something to run whose effect cannot be foretold (command, uri, wait_for). */
  | {
      readonly kind: 'action';
      readonly steps: readonly Step[];
      readonly finish: (outputs: readonly StepOutput[]) => Outcome;
      /** Reading actions run in check mode too; the others are skipped there, as Ansible does. */
      readonly inCheckMode: 'run' | 'skip';
      /** What may be different afterwards, so that it must be read again. */
      readonly effect: Effect;
    }
  /** More facts are needed, whose subjects only the first facts could tell. The engine plans again with them. */
  | { readonly kind: 'need'; readonly facts: readonly FactQuery[] }
  | { readonly kind: 'skipped'; readonly message: string; readonly result?: Result }
  | { readonly kind: 'failed'; readonly message: string; readonly result?: Result };

/** What a module may know about the run, besides its arguments and the target's facts. */
export interface PlanContext {
  readonly checkMode: boolean;
  /** Whether somebody will look at diffs; modules may leave out the content of files otherwise. */
  readonly diffMode: boolean;
  /** The task's host, also where it is delegated to another. */
  readonly host: string;
  /** The user that the task acts as on the target. */
  readonly user: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Reads a file of the controller (copy, template, script): searched as Ansible does (role's files/ or templates/, then the playbook's). */
  readonly controller: ControllerFiles;
  /** Renders template text with the task's variables; `extra` are added to them. */
  renderTemplate(
    source: string,
    file: string,
    options: TemplateOptions,
    extra?: Readonly<Record<string, Value>>,
  ): string;
}

export interface TemplateOptions {
  readonly trimBlocks?: boolean;
  readonly lstripBlocks?: boolean;
  readonly newlineSequence?: string;
  readonly blockStart?: string;
  readonly blockEnd?: string;
  readonly variableStart?: string;
  readonly variableEnd?: string;
  readonly commentStart?: string;
  readonly commentEnd?: string;
}

export interface ControllerFiles {
  /** The absolute path, or a UserError that lists where it looked. A relative path is searched for below `kind`/ first. */
  find(path: string, kind: 'files' | 'templates'): string;
  read(path: string): Buffer;
  /** The content of a file that may be large. */
  content(path: string): FileContent;
  /** A path to write to, absolute: relative ones are below the playbook's directory, `~` is a home. */
  resolve(path: string): string;
  /** Whether it exists and what it is. Never throws. */
  type(path: string): 'file' | 'directory' | 'missing';
  /** The permission bits of a file. */
  mode(path: string): number;
  /** All files below a directory, as paths relative to it, sorted. */
  list(
    directory: string,
  ): readonly { readonly path: string; readonly type: 'file' | 'directory'; readonly mode: number }[];
}
