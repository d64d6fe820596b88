import type { Account, FailoverSettings } from '../../failover/cluster/cluster.ts';
import { HOOK_NAMES, type HookName } from '../../failover/cluster/hook-name.ts';
import { type Problem, UserError } from '../../lib/errors.ts';
import { Secret } from '../../lib/secret.ts';
import { didYouMean } from '../../lib/similar.ts';
import { isDict, isList, toPlain, type Value } from '../../lib/value.ts';
import type { SiteVariables } from './variables.ts';

/** Reads the variables that describe a cluster, and collects what is wrong with them. */
export class ClusterReader {
  readonly #variables: SiteVariables;
  readonly #problems: Problem[] = [];

  constructor(variables: SiteVariables) {
    this.#variables = variables;
  }

  text(host: string, variable: string): string | undefined {
    const value = this.#value(host, variable);
    if (value === undefined || value === null || value === '') return undefined;
    if (isList(value) || isDict(value)) {
      this.problem(host, variable, 'it is no text');
      return undefined;
    }
    return String(value).trim();
  }

  texts(host: string, variable: string): readonly string[] {
    const value = this.#value(host, variable);
    if (value === undefined || value === null) return [];
    return (isList(value) ? value : [value]).map(String);
  }

  boolean(host: string, variable: string): boolean | undefined {
    const value = this.#value(host, variable);
    if (value === undefined || value === null || typeof value === 'boolean') return value ?? undefined;
    this.problem(host, variable, `"${String(toPlain(value))}" is neither true nor false`);
    return undefined;
  }

  /** A value of any form, for a schema. */
  plain(host: string, variable: string): unknown {
    const value = this.#value(host, variable);
    return value === undefined || value === null ? undefined : toPlain(value);
  }

  number(host: string, variable: string, least: number, most: number): number | undefined {
    const text = this.text(host, variable);
    if (text === undefined) return undefined;
    const number = Number(text);
    if (Number.isInteger(number) && number >= least && number <= most) return number;
    this.problem(host, variable, `"${text}" is no whole number from ${least} to ${most}`);
    return undefined;
  }

  entries(host: string, variable: string): readonly (readonly [string, string])[] {
    const value = this.#value(host, variable);
    if (value === undefined || value === null) return [];
    if (isDict(value)) return [...value].map(([key, item]) => [String(key), String(item)] as const);
    this.problem(host, variable, 'it is no dictionary');
    return [];
  }

  account(host: string, name: string): Account {
    return this.accountOf(host, `mysql_${name}`, name);
  }

  accountOf(host: string, prefix: string, fallback: string): Account {
    const user = this.text(host, `${prefix}_user`) ?? fallback;
    const password = this.text(host, `${prefix}_password`);
    if (password === undefined) {
      this.problem(
        host,
        `${prefix}_password`,
        'it is not set',
        'the group_vars beside the playbook set it; is the playbook the right one (UNDERSTUDY_PLAYBOOK)?',
      );
    }
    return { user, password: new Secret(password ?? '') };
  }

  hooks(host: string, variable: string): FailoverSettings['hooks'] {
    const value = this.#value(host, variable);
    if (value === undefined || value === null) return {};
    if (!isDict(value)) {
      this.problem(host, variable, 'it is no dictionary of hooks and their executables');
      return {};
    }
    const hooks: Partial<Record<HookName, string>> = {};
    for (const [key, path] of value) {
      const name = String(key);
      if (!isHook(name)) {
        const hint = didYouMean(name, HOOK_NAMES) ?? `there are ${HOOK_NAMES.join(', ')}`;
        this.problem(host, variable, `there is no hook "${name}"`, hint);
      } else hooks[name] = String(path);
    }
    return hooks;
  }

  /** A list of SQL statements. */
  statements(host: string, variable: string): readonly string[] {
    const value = this.#value(host, variable);
    if (value === undefined || value === null) return [];
    if (Array.isArray(value) && value.every((one) => typeof one === 'string' && one.trim() !== ''))
      return value.map(String);
    this.problem(host, variable, 'it is no list of SQL statements');
    return [];
  }

  problem(host: string, variable: string, message: string, hint?: string): void {
    const problem: Problem = {
      message: `${host}: ${variable}: ${message}`,
      hint,
      location: this.#variables.placeOf(host, variable),
    };
    // What is written for a group is wrong for each of its hosts, and said once.
    const isKnown = this.#problems.some(
      (other) =>
        other.location !== undefined &&
        other.location.file === problem.location?.file &&
        other.location.line === problem.location.line &&
        other.message.split(': ').slice(1).join() === problem.message.split(': ').slice(1).join(),
    );
    if (!isKnown) this.#problems.push(problem);
  }

  throwProblems(): void {
    if (this.#problems.length > 0) throw new UserError(this.#problems);
  }

  #value(host: string, variable: string): Value | undefined {
    try {
      return this.#variables.of(host).get(variable);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      for (const problem of error.problems) {
        this.problem(host, variable, problem.message, problem.hint);
      }
      return undefined;
    }
  }
}

function isHook(text: string): text is HookName {
  return (HOOK_NAMES as readonly string[]).includes(text);
}
