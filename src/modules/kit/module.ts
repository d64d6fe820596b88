import type { z } from 'zod';

import type { FactQuery, FactReader } from '../../facts/fact.ts';
import type { Plan, PlanContext, Result } from '../../steps/plan.ts';

/**
 * One module: what it takes, what it must know, and what it would do. It does no I/O on targets.
 * The schema gives the arguments their types, defaults, error messages and documentation.
 */
export interface Module<Args> {
  /** Fully qualified, as in Ansible: `ansible.builtin.copy`. */
  readonly name: string;
  /** One sentence for the reference page. */
  readonly summary: string;
  /** A task for the reference page, as YAML. */
  readonly example?: string;
  readonly args: z.ZodType<Args>;
  /**
   * Other spellings of arguments, as Ansible accepts them: `{dest: ['path', 'name']}`. `_raw_params` is the spelling
   * of free text after the module's name (`command: ls /tmp`).
   */
  readonly aliases?: Readonly<Record<string, readonly string[]>>;
  /** The facts that the arguments alone tell are needed. */
  facts(args: Args, context: PlanContext): readonly FactQuery[];
  /**
   * Return values that only the target can tell once something was done there, such as the owner of a new file. They
   * are read when somebody registers the result.
   */
  readonly afterwards?: (result: Result) => Afterwards | undefined;
  /** Pure. Called again with more facts after it asked for them. */
  plan(args: Args, facts: FactReader, context: PlanContext): Plan;
}

/** What is read once the steps are done, and what is returned of it. */
export interface Afterwards {
  readonly read: FactQuery;
  result(facts: FactReader): Result;
}

/** A module of any arguments, as the registry keeps it. */
export interface AnyModule extends Omit<Module<never>, 'args'> {
  readonly args: z.ZodType;
}
