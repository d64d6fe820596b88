import { Fault } from './error.ts';
import { PythonObject, Undefined, type CallArguments, type Data } from './python/objects.ts';
import {
  type Block,
  type Compiled,
  concatenate,
  type Execute,
  type Frame,
  type Inheritance,
  innerFrame,
  NORMAL,
} from './runtime.ts';

/** Runs a template, then the one that it extends, and so on; all see the names that the former ones set. */
export function runTemplate(compiled: Compiled, frame: Frame, out: Data[]): void {
  const { inheritance } = frame.rendering;
  let current: { readonly compiled: Compiled; readonly frame: Frame } = { compiled, frame };
  for (;;) {
    inheritance.add(current.compiled.blocks, current.frame.rendering.text);
    inheritance.parent = undefined;
    current.compiled.execute(current.frame, out);
    const parent = parentOf(inheritance);
    if (!parent) return;
    current = {
      compiled: parent.compiled,
      frame: { ...frame, rendering: { ...frame.rendering, text: parent.text } },
    };
  }
}

/** The template that was extended while another ran. */
function parentOf({ parent }: Inheritance): Inheritance['parent'] {
  return parent;
}

/** The statements of a template's top level: what follows `extends` has no output of its own. */
export function topLevel(steps: readonly Execute[]): Execute {
  return (frame, out) => {
    for (const step of steps) step(frame, frame.rendering.inheritance.parent ? [] : out);
    return NORMAL;
  };
}

/** `{% block %}` where it stands: the most derived definition of it. */
export function blockHere(block: Pick<Block, 'name' | 'isScoped'>): Execute {
  return (frame, out) => {
    // A template that extends another only says what its blocks are.
    if (!frame.rendering.inheritance.parent) run(frame, block.name, 0, block.isScoped, out);
    return NORMAL;
  };
}

function run(frame: Frame, name: string, level: number, isScoped: boolean, out: Data[]): void {
  const definition = frame.rendering.inheritance.of(name)[level];
  if (!definition) return;
  if (definition.isRequired) {
    throw new Fault('runtime', `the block "${name}" is required, and no template defines it`, {
      offset: definition.at,
      text: definition.text,
    });
  }
  const outer = isScoped ? frame : frame.rendering.root;
  const inner = innerFrame({ ...outer, rendering: { ...frame.rendering, text: definition.text } });
  inner.names.set('super', superBlock(inner, name, level + 1));
  definition.execute(inner, out);
}

function superBlock(frame: Frame, name: string, level: number): Data {
  return frame.rendering.inheritance.of(name)[level]
    ? new BlockReference(frame, name, level)
    : new Undefined(`there is no parent block called '${name}'`, 'super', 0, frame.rendering.text);
}

/** `super` and the attributes of `self`: called, they give a block's text. */
class BlockReference extends PythonObject {
  readonly typeName = 'BlockReference';
  readonly #frame: Frame;
  readonly #name: string;
  readonly #level: number;

  constructor(frame: Frame, name: string, level: number) {
    super();
    this.#frame = frame;
    this.#name = name;
    this.#level = level;
  }

  override call(_: CallArguments): Data {
    const parts: Data[] = [];
    run(this.#frame, this.#name, this.#level, true, parts);
    return concatenate(parts, this.#frame.rendering.environment.secrets);
  }

  override attribute(name: string): Data | undefined {
    return name === 'super' ? superBlock(this.#frame, this.#name, this.#level + 1) : undefined;
  }
}

/** `self`: the blocks of the template that is rendered. */
export class Self extends PythonObject {
  readonly typeName = 'TemplateReference';
  readonly #frame: Frame;

  constructor(frame: Frame) {
    super();
    this.#frame = frame;
  }

  override attribute(name: string): Data | undefined {
    const { inheritance, root } = this.#frame.rendering;
    return inheritance.of(name).length > 0 ? new BlockReference(root, name, 0) : undefined;
  }
}
