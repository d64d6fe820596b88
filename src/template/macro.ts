import {
  own,
  present,
  PythonObject,
  Tuple,
  typeFault,
  Undefined,
  type CallArguments,
  type Data,
} from './python/objects.ts';
import { concatenate, innerFrame, type Evaluate, type Execute, type Frame } from './runtime.ts';

/** An imported template: its macros and top-level variables. */
export class TemplateModule extends PythonObject {
  readonly typeName = 'TemplateModule';
  readonly parts: readonly Data[];
  readonly #exported: Frame;

  constructor(exported: Frame, parts: readonly Data[]) {
    super();
    this.#exported = exported;
    this.parts = parts;
  }

  override attribute(name: string): Data | undefined {
    return name.startsWith('_') ? undefined : this.#exported.names.get(name);
  }
}

/** What a body makes, as one value. */
export function contents(body: Execute, frame: Frame): Data {
  const parts: Data[] = [];
  body(frame, parts);
  return concatenate(parts, frame.rendering.environment.secrets);
}

/** A macro as it was compiled. */
export interface MacroDescription {
  readonly name: string;
  readonly parameters: readonly string[];
  readonly fallbacks: readonly (Evaluate | undefined)[];
  readonly body: Execute;
  readonly takesRest: boolean;
  readonly takesKeywords: boolean;
  readonly takesCaller: boolean;
}

/** A macro, with the names that are visible where it was defined. */
export class Macro extends PythonObject {
  readonly typeName = 'Macro';
  readonly #description: MacroDescription;
  readonly #frame: Frame;

  constructor(description: MacroDescription, frame: Frame) {
    super();
    this.#description = description;
    this.#frame = frame;
  }

  override attribute(name: string): Data | undefined {
    if (name === 'name') return this.#description.name;
    if (name === 'arguments') return Tuple.containing(this.#description.parameters);
    return undefined;
  }

  override call({ positional, keyword }: CallArguments): Data {
    const { name, parameters, fallbacks, body, takesRest, takesKeywords, takesCaller } = this.#description;
    const frame = innerFrame(this.#frame);
    const named = new Map(keyword);
    for (const [index, parameter] of parameters.entries()) {
      let value = positional[index];
      if (value !== undefined && named.has(parameter))
        throw typeFault(`macro '${name}' is given the argument '${parameter}' twice`);
      // None is an argument, and a default.
      if (value === undefined) value = named.get(parameter);
      named.delete(parameter);
      if (value === undefined) value = fallbacks[index]?.(frame);
      frame.names.set(
        parameter,
        present(
          value,
          () =>
            new Undefined(`parameter '${parameter}' was not provided`, parameter, 0, frame.rendering.text),
        ),
      );
    }
    const caller = named.get('caller');
    if (takesCaller) {
      frame.names.set(
        'caller',
        present(caller, () => new Undefined('no caller defined', 'caller', 0, frame.rendering.text)),
      );
      named.delete('caller');
    }
    const rest = positional.slice(parameters.length);
    if (takesRest) frame.names.set('varargs', Tuple.containing(rest));
    else if (rest.length > 0)
      throw typeFault(`macro '${name}' takes not more than ${parameters.length} argument(s)`);
    if (takesKeywords) frame.names.set('kwargs', own(new Map<Data, Data>(named)));
    else if (named.size > 0) {
      const [first = ''] = named.keys();
      throw typeFault(
        first === 'caller'
          ? `macro '${name}' was called with a block but does not use caller()`
          : `macro '${name}' takes no keyword argument '${first}'`,
      );
    }
    return contents(body, frame);
  }
}
