import type { SourceLocation } from '../lib/errors.ts';
import type { Dict, Value } from '../lib/value.ts';
import type { RoleContext, VarsBlock } from '../playbook/ast.ts';
import { TemplateError } from '../template/error.ts';
import type { TemplateEnvironment, VariableSource } from '../template/environment.ts';
import { evaluate, renderString } from '../template/render.ts';
import { renderFully, renderLazily } from './written.ts';

/** Variables of one origin. Written ones are templates until they are used; values that came from hosts never are. */
export interface Layer {
  readonly values: Dict;
  readonly written: boolean;
  readonly at?: SourceLocation | undefined;
}

/**
 * The variables that one task sees on one host: layers by precedence, each value rendered when it is first read and
 * then remembered. Values read from hosts are never rendered: a file's content must not become code.
 */
export class Scope implements VariableSource {
  readonly #layers: readonly Layer[];
  readonly #environmentFor: (variables: VariableSource) => TemplateEnvironment;
  readonly #rendered = new Map<string, Value>();
  readonly #inProgress: string[] = [];
  #environment: TemplateEnvironment | undefined;

  /** `layers`: strongest first. `environmentFor`: what templates may reach beside these variables. */
  constructor(layers: readonly Layer[], environmentFor: (variables: VariableSource) => TemplateEnvironment) {
    this.#layers = layers;
    this.#environmentFor = environmentFor;
  }

  /** What templates may reach that are rendered with these variables. */
  get environment(): TemplateEnvironment {
    return (this.#environment ??= this.#environmentFor(this));
  }

  get(name: string): Value | undefined {
    const known = this.#rendered.get(name);
    if (known !== undefined) return known;
    for (const layer of this.#layers) {
      const raw = layer.values.get(name);
      if (raw === undefined) continue;
      const value = layer.written ? this.#render(name, raw, layer) : raw;
      this.#rendered.set(name, value);
      return value;
    }
    return undefined;
  }

  has(name: string): boolean {
    return this.#layers.some((layer) => layer.values.has(name));
  }

  names(): Iterable<string> {
    const names = new Set<string>();
    for (const layer of this.#layers) for (const name of layer.values.keys()) names.add(String(name));
    return names;
  }

  /** Every template in a value rendered at once. */
  render(value: Value, at?: SourceLocation): Value {
    return renderFully(value, { variables: this, environment: this.environment, at });
  }

  /** A template's text as text. */
  renderText(text: string, at?: SourceLocation): string {
    return String(renderString(text, this, this.environment, at));
  }

  /** The value of an expression (`when:`, `until:`). */
  evaluate(expression: string, at?: SourceLocation): Value {
    return evaluate(expression, this, this.environment, at);
  }

  /** The same variables below further layers (a loop's item, the variables of an include). */
  with(stronger: readonly Layer[]): Scope {
    return stronger.length === 0 ? this : new Scope([...stronger, ...this.#layers], this.#environmentFor);
  }

  #render(name: string, raw: Value, layer: Layer): Value {
    if (this.#inProgress.includes(name)) {
      throw new TemplateError('runtime', {
        message: `the variable refers to itself: ${[...this.#inProgress, name].join(' → ')}`,
        location: layer.at,
      });
    }
    this.#inProgress.push(name);
    try {
      return renderLazily(raw, { variables: this, environment: this.environment, at: layer.at });
    } finally {
      this.#inProgress.pop();
    }
  }
}

/** Where the variables of a task on a host come from. Precedence is Ansible's ("Understanding variable precedence"). */
export interface LayerSources {
  /** Magic variables that nothing replaces. */
  readonly magic: Dict;
  /** Those of the host itself. */
  readonly hostMagic: Dict;
  readonly extraVars: Dict;
  /** Registered results and set_fact: values, not templates. */
  readonly hostValues: Dict | undefined;
  /** Of include_vars: templates. */
  readonly includedVars: readonly VarsBlock[];
  /** What `setup` found. */
  readonly facts: Dict | undefined;
  /** Inventory and playbook directories, weakest first. */
  readonly inventory: readonly Layer[];
  readonly playVars: VarsBlock | undefined;
  readonly playVarsFiles: readonly VarsBlock[];
  /** Every role of the play, in order. */
  readonly playRoles: readonly RoleContext[];
  readonly role: RoleContext | undefined;
  /** Of blocks, includes and the task itself, outermost first. */
  readonly taskVars: readonly VarsBlock[];
}

const NONE: Dict = new Map();

/** The layers of a task, strongest first. */
export function layersOf(sources: LayerSources): readonly Layer[] {
  const value = (values: Dict | undefined): Layer => ({ values: values ?? NONE, written: false });
  const written = (block: VarsBlock): Layer => ({ values: block.values, written: true, at: block.at });
  const strongestFirst = (blocks: readonly VarsBlock[]): Layer[] => blocks.map(written).reverse();

  const ownRoles = roleChain(sources.role);
  const otherRoles = sources.playRoles.filter((role) => !ownRoles.includes(role)).reverse();
  const roles = [...ownRoles, ...otherRoles];

  return [
    value(sources.magic),
    { values: sources.extraVars, written: true },
    ...ownRoles.flatMap((role) => strongestFirst(role.params)),
    value(sources.hostValues),
    ...strongestFirst(sources.includedVars),
    ...strongestFirst(sources.taskVars),
    ...ownRoles.flatMap((role) => strongestFirst([...role.vars, ...role.entryVars])),
    ...otherRoles.flatMap((role) => strongestFirst(role.vars)),
    ...strongestFirst(sources.playVarsFiles),
    ...(sources.playVars ? [written(sources.playVars)] : []),
    value(sources.facts),
    value(sources.hostMagic),
    ...sources.inventory.toReversed(),
    ...roles.flatMap((role) => strongestFirst(role.defaults)),
  ].filter((layer) => layer.values.size > 0);
}

/** The role itself, then the roles that brought it in. */
function roleChain(role: RoleContext | undefined): RoleContext[] {
  const chain: RoleContext[] = [];
  for (let current = role; current; current = current.parent) chain.push(current);
  return chain;
}
