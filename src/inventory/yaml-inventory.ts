import type { Problem } from '../lib/errors.ts';
import { didYouMean } from '../lib/similar.ts';
import { isDict, isList, type Dict, type Value } from '../lib/value.ts';
import type { YamlDocument } from '../lib/yaml.ts';
import { type InventoryBuilder, setVariable } from './builder.ts';
import { setGroupVariable } from './group-variable.ts';
import { parseHostPattern, RangeProblem } from './host-range.ts';

const SECTIONS = ['hosts', 'vars', 'children'] as const;

/** Reads a YAML inventory into the builder and returns what is wrong with it. */
export function readYamlInventory(document: YamlDocument, builder: InventoryBuilder): readonly Problem[] {
  const { value } = document;
  if (value === null) return [];
  if (!isDict(value)) {
    return [
      document.problem(
        document.start,
        'an inventory is a dictionary of groups',
        'it usually starts with "all:"',
      ),
    ];
  }
  if (value.has('plugin')) {
    return [
      document.problem(
        document.keyAt(value, 'plugin'),
        'inventory plugins are not supported',
        'list the hosts',
      ),
    ];
  }
  const reader = new GroupReader(document, builder);
  for (const [name, group] of value) reader.group(name, group, value);
  return reader.problems;
}

class GroupReader {
  readonly problems: Problem[] = [];
  readonly #document: YamlDocument;
  readonly #builder: InventoryBuilder;

  constructor(document: YamlDocument, builder: InventoryBuilder) {
    this.#document = document;
    this.#builder = builder;
  }

  group(name: Value, definition: Value, parent: Dict): void {
    if (typeof name !== 'string' || name === '') {
      this.#report(parent, name, `the name of a group is text, not ${String(name)}`, 'quote it');
      return;
    }
    const group = this.#builder.addGroup(name);
    if (definition === null) return;
    if (!isDict(definition)) {
      this.#report(parent, name, `the group "${name}" must be a dictionary with hosts, vars or children`);
      return;
    }
    for (const [section, content] of definition) {
      switch (section) {
        case 'vars':
          for (const [variable, value] of this.#section(definition, 'vars', content)) {
            const at = this.#document.keyAt(content as Dict, variable);
            const problem = setGroupVariable(group, variable, value, at);
            if (problem !== undefined) this.problems.push(this.#document.problem(at, problem));
          }
          break;
        case 'children':
          for (const [child, below] of this.#section(definition, 'children', content)) {
            this.group(child, below, isDict(content) ? content : definition);
            if (typeof child === 'string' && !this.#builder.addChild(name, child)) {
              this.#report(
                content as Dict,
                child,
                `the group "${child}" cannot be below "${name}", which is below it`,
              );
            }
          }
          break;
        case 'hosts':
          for (const [pattern, variables] of this.#section(definition, 'hosts', content)) {
            this.#hosts(name, pattern, variables, isDict(content) ? content : definition);
          }
          break;
        default:
          this.#report(
            definition,
            section,
            `a group has ${SECTIONS.join(', ')}, but here is "${String(section)}" in the group "${name}"`,
            didYouMean(String(section), SECTIONS) ??
              'variables of a group stand below "vars", groups in it below "children"',
          );
      }
    }
  }

  #section(group: Dict, name: (typeof SECTIONS)[number], content: Value): Dict {
    if (content === null) return new Map();
    // One name alone may stand for a dictionary with it.
    if (typeof content === 'string' && name !== 'vars') return new Map([[content, null]]);
    if (isDict(content)) return content;
    this.#report(
      group,
      name,
      `"${name}" must be a dictionary, found ${isList(content) ? 'a list' : `"${String(content)}"`}`,
      name === 'vars' ? undefined : 'write each name as a key, with a colon after it and no dash before it',
    );
    return new Map();
  }

  #hosts(group: string, pattern: Value, variables: Value, parent: Dict): void {
    const at = this.#document.keyAt(parent, pattern);
    if (typeof pattern !== 'string') {
      this.#report(parent, pattern, `the name of a host is text, not ${String(pattern)}`, 'quote it');
      return;
    }
    if (variables !== null && !isDict(variables)) {
      this.#report(parent, pattern, `the variables of the host "${pattern}" must be a dictionary`);
      return;
    }
    try {
      const { names, port } = parseHostPattern(pattern);
      for (const name of names) {
        const host = this.#builder.addHost(name, group);
        if (port !== undefined) setVariable(host, 'ansible_port', port, at);
        for (const [variable, value] of variables ?? []) {
          setVariable(host, variable, value, this.#document.keyAt(variables as Dict, variable));
        }
      }
    } catch (error) {
      if (!(error instanceof RangeProblem)) throw error;
      this.problems.push(this.#document.problem(at, error.message));
    }
  }

  #report(parent: Dict, key: Value, message: string, hint?: string): void {
    this.problems.push(this.#document.problem(this.#document.keyAt(parent, key), message, hint));
  }
}
