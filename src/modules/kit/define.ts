import type { z } from 'zod';

import { account } from '../../facts/account.ts';
import { query, type FactQuery, type FactReader } from '../../facts/fact.ts';
import { file } from '../../facts/file.ts';
import type { Plan, PlanContext } from '../../steps/plan.ts';
import type { Module } from './module.ts';

type PathNames<Args> = {
  [Name in keyof Args]: Args[Name] extends string | undefined ? Name : never;
}[keyof Args];

interface Definition<Schema extends z.ZodType> extends Omit<Module<z.output<Schema>>, 'args'> {
  readonly args: Schema;
  /** The arguments that are paths on the target, where `~` means a home there. */
  readonly paths?: readonly PathNames<z.output<Schema>>[];
}

/**
 * Makes a module of its parts. Paths that begin with `~` are expanded by the target's accounts before the module
 * sees them, so that no module has to think of it.
 */
export function defineModule<Schema extends z.ZodType>(
  definition: Definition<Schema>,
): Module<z.output<Schema>> {
  type Args = z.output<Schema>;
  const { paths = [], ...rest } = definition;
  const module = withContexts(rest as unknown as Module<Args>);
  if (paths.length === 0) return module;
  const homes = (args: Args, context: PlanContext): FactQuery[] =>
    paths.flatMap((name) => {
      const user = homeOwner(args[name], context.user);
      return user === undefined ? [] : [query(account, user)];
    });
  return {
    ...module,
    facts(args, context) {
      const needed = homes(args, context);
      return needed.length > 0 ? needed : module.facts(args, context);
    },
    plan(args, facts, context): Plan {
      if (homes(args, context).length === 0) return module.plan(args, facts, context);
      const expanded: Args = { ...(args as object), ...expand(args, paths, facts, context) } as Args;
      const missing = module.facts(expanded, context).filter((needed) => !facts.has(needed));
      if (missing.length > 0) return { kind: 'need', facts: missing };
      return module.plan(expanded, facts, context);
    },
  };
}

const CONTEXT = ['seuser', 'serole', 'setype', 'selevel'] as const;
const SELINUX = query(file, { path: '/sys/fs/selinux/enforce' });

/**
 * The parts of a SELinux context mean nothing on a host without SELinux, as in Ansible. Where there is one, they are
 * refused.
 */
function withContexts<Args>(module: Module<Args>): Module<Args> {
  const given = (args: Args): string | undefined =>
    CONTEXT.find((name) => (args as Readonly<Record<string, unknown>>)[name] !== undefined);
  return {
    ...module,
    facts: (args, context) => [
      ...(given(args) === undefined ? [] : [SELINUX]),
      ...module.facts(args, context),
    ],
    plan(args, facts, context) {
      const name = given(args);
      if (name === undefined || !facts.get(SELINUX).exists) return module.plan(args, facts, context);
      return {
        kind: 'failed',
        message: `this host has SELinux, and ${name} is not supported there; use chcon with ansible.builtin.command`,
      };
    },
  };
}

/** Whose home a path starts with, or undefined when it does not. */
function homeOwner(value: unknown, current: string): string | undefined {
  const match = typeof value === 'string' ? /^~([^/]*)/.exec(value) : null;
  return match ? match[1] || current : undefined;
}

function expand<Args>(
  args: Args,
  paths: readonly PathNames<Args>[],
  facts: FactReader,
  context: PlanContext,
): Partial<Record<keyof Args, string>> {
  const result: Partial<Record<keyof Args, string>> = {};
  for (const name of paths) {
    const user = homeOwner(args[name], context.user);
    if (user === undefined) continue;
    const home = facts.get(query(account, user))?.home;
    // As in a shell, a tilde before an unknown name stays as it is.
    if (home !== undefined) result[name] = String(args[name]).replace(/^~[^/]*/, () => home);
  }
  return result;
}
