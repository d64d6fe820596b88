import type { CallContext, Definition } from './filters/define.ts';
import { bind } from './python/bind.ts';
import { truth } from './python/compare.ts';
import { Failed, typeFault, Undefined, type CallArguments, type Data } from './python/objects.ts';
import { findFilter, findTest } from './registry.ts';
import type { Frame } from './runtime.ts';
import { holdsSecret, keepSecret } from './secrets.ts';

/** Keeps `result` secret if something it was made of is. */
export function secretive(frame: Frame, inputs: readonly Data[], result: Data): Data {
  const { secrets } = frame.rendering.environment;
  if (secrets.size > 0 && inputs.some((one) => holdsSecret(secrets, one))) keepSecret(secrets, result);
  return result;
}

export function firstUndefined(args: CallArguments): Undefined | undefined {
  for (const value of args.positional) if (value instanceof Undefined) return value;
  for (const value of args.keyword.values()) if (value instanceof Undefined) return value;
  return undefined;
}

export function applyDefinition(
  what: string,
  definition: Definition<Data>,
  value: Data,
  args: CallArguments,
  context: CallContext,
): Data {
  if (value instanceof Failed) return value;
  if (!definition.acceptsUndefined) {
    if (value instanceof Undefined) return value;
    const gap = definition.acceptsUndefinedArguments ? undefined : firstUndefined(args);
    if (gap) return gap;
  }
  return definition.run(value, bind(definition.signature, what, args), context);
}

export function applyFilter(
  name: string,
  found: Definition<Data>,
  value: Data,
  args: CallArguments,
  frame: Frame,
): Data {
  const result = applyDefinition(`the filter "${name}"`, found, value, args, contextOf(frame));
  if (found.structural || frame.rendering.environment.secrets.size === 0) return result;
  return secretive(frame, [value, ...args.positional, ...args.keyword.values()], result);
}

const contexts = new WeakMap<Frame, CallContext>();

export function contextOf(frame: Frame): CallContext {
  let context = contexts.get(frame);
  if (!context) {
    context = {
      environment: frame.rendering.environment,
      knows: (kind, name) => typeof (kind === 'filter' ? findFilter(name) : findTest(name)) === 'object',
      filter(name, value, args) {
        const found = findFilter(name);
        if (!found || typeof found === 'string') throw typeFault(found ?? `unknown filter "${name}"`);
        return applyFilter(name, found, value, args, frame);
      },
      test(name, value, args) {
        const found = findTest(name);
        if (!found || typeof found === 'string') throw typeFault(found ?? `unknown test "${name}"`);
        return truth(applyDefinition(`the test "${name}"`, found, value, args, context!));
      },
    };
    contexts.set(frame, context);
  }
  return context;
}
