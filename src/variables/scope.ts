import type { SourceLocation } from '../lib/errors.ts';
import type { Dict, Value } from '../lib/value.ts';
import type { RoleContext, VarsBlock } from '../playbook/ast.ts';
import { TemplateError } from '../template/error.ts';
import type { TemplateEnvironment, VariableSource } from '../template/environment.ts';
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
  readonly #environment: TemplateEnvironment;
  readonly #rendered = new Map<string, Value>();
  readonly #inProgress: string[] = [];

  /** `layers`: strongest first. */
  constructor(layers: readonly Layer[], environment: TemplateEnvironment) {
    this.#layers = layers;
    this.#environment = environment;
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

  /** The same variables below further layers (a loop's item, the variables of an include). */
  with(stronger: readonly Layer[]): Scope {
    return stronger.length === 0 ? this : new Scope([...stronger, ...this.#layers], this.#environment);
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
      return renderLazily(raw, { variables: this, environment: this.#environment, at: layer.at });
    } finally {
      this.#inProgress.pop();
    }
  }
}

/** Renders every string in a value; keys too, as Ansible does. */
export function renderDeep(
  value: Value,
  variables: VariableSource,
  environment: TemplateEnvironment,
  at?: SourceLocation,
): Value {
  return renderFully(value, { variables, environment, at });
}

/** Where the variables of a task on a host come from. Precedence is Ansible's ("Understanding variable precedence"). */
export interface LayerSources {
  readonly magic: Dict;
  readonly extraVars: Dict;
  /** Registered results and set_fact: values, not templates. */
  readonly hostValues: Dict;
  /** Of include_vars: templates. */
  readonly includedVars: readonly VarsBlock[];
  /** What `setup` found. */
  readonly facts: Dict;
  /** Inventory and playbook directories, weakest first. */
  readonly inventory: readonly Dict[];
  readonly playVars: VarsBlock;
  readonly playVarsFiles: readonly VarsBlock[];
  /** Every role of the play, in order. */
  readonly playRoles: readonly RoleContext[];
  readonly role: RoleContext | undefined;
  /** Of blocks, includes and the task itself, outermost first. */
  readonly taskVars: readonly VarsBlock[];
}

/** The layers of a task, strongest first. */
export function layersOf(sources: LayerSources): readonly Layer[] {
  const value = (values: Dict): Layer => ({ values, written: false });
  const written = (block: VarsBlock): Layer => ({ values: block.values, written: true, at: block.at });
  const strongestFirst = (blocks: readonly VarsBlock[]): Layer[] => blocks.map(written).reverse();

  const ownRoles = roleChain(sources.role);
  const otherRoles = sources.playRoles.filter((role) => !ownRoles.includes(role)).reverse();
  const roles = [...ownRoles, ...otherRoles];

  return [
    { values: sources.extraVars, written: true },
    value(sources.magic),
    ...ownRoles.flatMap((role) => strongestFirst(role.params)),
    value(sources.hostValues),
    ...strongestFirst(sources.includedVars),
    ...strongestFirst(sources.taskVars),
    ...ownRoles.flatMap((role) => strongestFirst([...role.vars, ...role.entryVars])),
    ...otherRoles.flatMap((role) => strongestFirst(role.vars)),
    ...strongestFirst(sources.playVarsFiles),
    written(sources.playVars),
    value(sources.facts),
    ...sources.inventory.map((values): Layer => ({ values, written: true })).reverse(),
    ...roles.flatMap((role) => strongestFirst(role.defaults)),
  ].filter((layer) => layer.values.size > 0);
}

/** The role itself, then the roles that brought it in. */
function roleChain(role: RoleContext | undefined): RoleContext[] {
  const chain: RoleContext[] = [];
  for (let current = role; current; current = current.parent) chain.push(current);
  return chain;
}
