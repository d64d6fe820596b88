import { readFileSync } from 'node:fs';

import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Document,
  type Node,
  type Pair,
  type Scalar,
  type YAMLError,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';

import { codeFrame } from './code-frame.ts';
import { UserError, type Problem, type SourceLocation } from './errors.ts';
import { isSecretFile, withoutText } from './secret-file.ts';
import { isDict, type Dict, type Value } from './value.ts';
import { isVaultText } from './vault-cipher.ts';
import { openedText, theVault } from './vault.ts';
import { resolvePlainScalar } from './yaml-scalar.ts';
import { type Documents, parseIndented } from './yaml-indent.ts';
import { parseAll, parseWithTabs } from './yaml-tabs.ts';

type Container = Dict | readonly Value[];

interface Positions {
  readonly start: SourceLocation;
  readonly keys: ReadonlyMap<Value, SourceLocation>;
  readonly values: ReadonlyMap<Value, SourceLocation>;
}

/** Reads and parses a YAML file. */
export function readYaml(file: string): YamlDocument {
  return parseYaml(readText(file), file);
}

/** A text file's content; that it cannot be read is the user's to know. */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    throw new UserError(`cannot read ${file}: ${(error as Error).message}`, { cause: error });
  }
}

/** A parsed YAML file: its value, and where each part of it stands. */
export interface YamlDocument {
  readonly file: string;
  readonly value: Value;
  /** Where the document's value starts. */
  readonly start: SourceLocation;
  /** Where a dictionary or list starts. */
  startOf(container: Container): SourceLocation;
  /** Where a dictionary's key stands. */
  keyAt(dict: Dict, key: Value): SourceLocation;
  /** Where the value below a dictionary's key stands, or a list's item. */
  valueAt(container: Container, key: Value): SourceLocation;
  /** A problem with a code frame. */
  problem(location: SourceLocation, message: string, hint?: string): Problem;
}

/**
 * Parses YAML as Ansible reads it (YAML 1.1 by PyYAML's rules). All errors are thrown at once. A key that stands twice
 * in one dictionary is an error: Ansible takes the last and warns, which hides a mistake in a long list of variables.
 */
export function parseYaml(text: string, file: string): YamlDocument {
  const isEncrypted = isVaultText(text);
  const reader = new Reader(openedText(text, file), file);
  const value = readUnshown(reader, isEncrypted || isSecretFile(file));
  if (isEncrypted) keepTexts(value);
  const { positions } = reader;
  const whole: SourceLocation = { file, line: 1, column: 1 };
  const lookUp = (container: Container): Positions =>
    positions.get(container) ?? { start: whole, keys: new Map(), values: new Map() };
  return {
    file,
    value,
    start: reader.start,
    startOf: (container) => lookUp(container).start,
    keyAt: (dict, key) => lookUp(dict).keys.get(key) ?? lookUp(dict).start,
    valueAt: (container, key) => lookUp(container).values.get(key) ?? lookUp(container).start,
    problem: (location, message, hint) => problemIn(text, location, message, hint),
  };
}

/** All text of an encrypted file is secret. */
function keepTexts(value: Value): void {
  if (typeof value === 'string') theVault().keep(value);
  else if (isDict(value)) for (const item of value.values()) keepTexts(item);
  else if (Array.isArray(value)) for (const item of value as readonly Value[]) keepTexts(item);
}

/** What the reader finds wrong quotes the text, so of a secret file only the place is told. */
function readUnshown(reader: Reader, isSecret: boolean): Value {
  try {
    return reader.read();
  } catch (error) {
    if (!(error instanceof UserError) || !isSecret) throw error;
    throw new UserError(
      error.problems.map((problem) => withoutText(problem)),
      { exitCode: error.exitCode },
    );
  }
}

function problemIn(source: string, location: SourceLocation, message: string, hint?: string): Problem {
  return { message, location, frame: codeFrame(source, location), ...(hint === undefined ? {} : { hint }) };
}

const HINTS: readonly (readonly [code: YAMLError['code'], hint: string])[] = [
  ['TAB_AS_INDENT', 'indent with spaces'],
  ['BLOCK_AS_IMPLICIT_KEY', 'a value that contains ": " must be quoted; otherwise check the indentation'],
  ['BAD_INDENT', 'entries of one list or dictionary start in the same column'],
  ['MISSING_CHAR', 'is a quote, a bracket or a colon missing here or on the line before?'],
];

const QUOTE_HINT = 'text after a closing quote: quote the whole value instead';

const TEMPLATE_HINT = 'a value that starts with {{ must be quoted: "{{ name }}"';

class Reader {
  readonly positions = new WeakMap<Container, Positions>();
  readonly #text: string;
  readonly #file: string;
  #lines = new LineCounter();
  readonly #problems: Problem[] = [];
  /** An alias gives the same object as its anchor. */
  readonly #read = new Map<Node, Value>();
  readonly #open = new Set<Node>();
  #document: Document | undefined;
  #originalOffset = (offset: number): number => offset;
  start: SourceLocation;

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
    this.start = { file, line: 1, column: 1 };
  }

  read(): Value {
    // Scalars are resolved here: the library's rules differ from PyYAML's.
    const documents = this.#documents();
    const [first, second] = documents;
    for (const error of first?.errors ?? []) this.#syntaxError(error);
    if (second) {
      const [offset] = second.range;
      this.#report(offset, 'a second document starts here, but a file holds only one', 'remove the "---"');
    }
    // A broken document is still read, so that duplicate keys and tags are reported in the same go.
    this.#document = first;
    const contents = (first?.contents ?? null) as Node | null;
    const value = contents ? this.#value(contents) : null;
    if (contents) this.start = this.#at(contents);
    if (this.#problems.length > 0) throw new UserError(this.#problems);
    return value;
  }

  /** What PyYAML accepts and the library does not is read as PyYAML reads it; other mistakes stay those of the text. */
  #documents(): Documents {
    const strict = parseAll(this.#text, this.#lines);
    if (strict.every((document) => document.errors.length === 0)) return strict;
    const spaced = parseWithTabs(this.#text, strict);
    if (spaced !== strict) return spaced;
    const indented = parseIndented(this.#text, strict, parseAll);
    if (!indented) return strict;
    this.#originalOffset = indented.originalOffset;
    // In what it refuses, the library does not count all lines.
    this.#lines = new LineCounter();
    for (const start of [0, ...[...this.#text.matchAll(/\n/g)].map(({ index }) => index + 1)])
      this.#lines.addNewLine(start);
    return indented.documents;
  }

  #syntaxError(error: YAMLError): void {
    const [offset] = error.pos;
    const line = this.#text.slice(this.#text.lastIndexOf('\n', offset - 1) + 1).split('\n', 1)[0] ?? '';
    const hint = /:\s+\{\{|^\s*-\s+\{\{/.test(line)
      ? TEMPLATE_HINT
      : error.message.startsWith('Flow ')
        ? 'is a closing bracket missing, or not indented?'
        : /:\s+"[^"]*"\s*\S|:\s+'[^']*'\s*\S/.test(line)
          ? QUOTE_HINT
          : HINTS.find(([code]) => code === error.code)?.[1];
    this.#report(offset, error.message, hint);
  }

  #value(node: Node | null): Value {
    if (node === null) return null;
    if (isAlias(node)) {
      const target = node.resolve(this.#document as Document);
      if (!target) return this.#fail(node, `there is no anchor "&${node.source}" before this`);
      if (this.#open.has(target))
        return this.#fail(node, `"*${node.source}" stands inside what it refers to`);
      return this.#value(target);
    }
    const known = this.#read.get(node);
    if (known !== undefined) return known;
    if (isScalar(node)) return this.#scalar(node);
    if (isSeq(node)) return this.#list(node);
    if (isMap(node)) return this.#dict(node);
    return null;
  }

  #scalar(node: Scalar): Value {
    const text = typeof node.value === 'string' ? node.value : '';
    switch (node.tag) {
      case undefined:
        return node.type === 'PLAIN' ? resolvePlainScalar(text) : text;
      case '!':
      case 'tag:yaml.org,2002:str':
        // The failsafe schema gives every scalar this tag; only the source tells whether the user wrote it.
        return this.#hasWrittenTag(node) || node.type !== 'PLAIN' ? text : resolvePlainScalar(text);
      case 'tag:yaml.org,2002:int':
      case 'tag:yaml.org,2002:float':
      case 'tag:yaml.org,2002:bool':
      case 'tag:yaml.org,2002:null':
      case 'tag:yaml.org,2002:timestamp':
        return resolvePlainScalar(text);
      case '!unsafe':
        return this.#unsafe(node, text);
      case '!vault':
      case '!vault-encrypted':
        return this.#decrypted(node, text);
      default:
        return this.#unknownTag(node, node.tag);
    }
  }

  #decrypted(node: Node, text: string): Value {
    try {
      const value = theVault().open(text, this.#at(node)).toString('utf8');
      theVault().keep(value);
      return value;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#problems.push(...error.problems);
      return null;
    }
  }

  /** Text that is never a template. It reads as such when it is rendered, which is what happens to all text once. */
  #unsafe(node: Node, text: string): Value {
    if (!/\{[{%#]/.test(text)) return text;
    if (/\{%[-+]?\s*endraw/.test(text)) {
      return this.#fail(node, '!unsafe text cannot contain {% endraw %}');
    }
    return `{% raw %}${text}{% endraw %}`;
  }

  #list(node: YAMLSeq): Value {
    const list: Value[] = [];
    const values = new Map<Value, SourceLocation>();
    this.#register(node, list, new Map(), values);
    this.#checkCollectionTag(node, 'tag:yaml.org,2002:seq');
    for (const [index, item] of node.items.entries()) {
      values.set(index, isNode(item) ? this.#at(item) : this.#at(node));
      list.push(this.#value(item as Node | null));
    }
    this.#open.delete(node);
    return list;
  }

  #dict(node: YAMLMap): Value {
    const dict = new Map<Value, Value>();
    const keys = new Map<Value, SourceLocation>();
    const values = new Map<Value, SourceLocation>();
    this.#register(node, dict, keys, values);
    this.#checkCollectionTag(node, 'tag:yaml.org,2002:map');
    const merges = node.items.filter((pair) => isMergeKey(pair.key));
    for (const pair of merges) this.#merge(pair as Pair<Node, Node | null>, dict, keys, values);
    const own = new Set<Value>();
    for (const pair of node.items as Pair<Node | null, Node | null>[]) {
      if (isMergeKey(pair.key)) continue;
      const key = this.#value(pair.key);
      const place = pair.key ? this.#at(pair.key) : this.#at(node);
      if (typeof key === 'object' && key !== null) {
        const isTemplate = isMap(pair.key) && pair.key.flow === true;
        this.#fail(pair.key as Node, 'a key must be a plain value', isTemplate ? TEMPLATE_HINT : undefined);
        continue;
      }
      if (own.has(key)) {
        const first = keys.get(key);
        this.#problems.push(
          problemIn(
            this.#text,
            place,
            `the key "${String(key)}" is here twice; the first is on line ${first?.line ?? '?'}`,
            'Ansible takes the last one and warns; keep the one that is meant',
          ),
        );
      }
      own.add(key);
      keys.set(key, place);
      values.set(key, pair.value ? this.#at(pair.value) : place);
      dict.set(key, this.#value(pair.value));
    }
    this.#open.delete(node);
    return dict;
  }

  /** `<<`: the keys of other dictionaries, below the ones written here; of several, the first has precedence. */
  #merge(
    pair: Pair<Node, Node | null>,
    into: Map<Value, Value>,
    keys: Map<Value, SourceLocation>,
    values: Map<Value, SourceLocation>,
  ): void {
    const source = this.#value(pair.value);
    const sources = Array.isArray(source) ? (source as readonly Value[]) : [source];
    for (const item of sources) {
      if (!isDict(item)) {
        this.#fail(pair.key, 'expected a dictionary, or a list of dictionaries, to merge');
        return;
      }
      const positions = this.positions.get(item);
      for (const [key, value] of item) {
        if (into.has(key)) continue;
        into.set(key, value);
        const place = this.#at(pair.key);
        keys.set(key, positions?.keys.get(key) ?? place);
        values.set(key, positions?.values.get(key) ?? place);
      }
    }
  }

  #register(
    node: Node,
    container: Container,
    keys: ReadonlyMap<Value, SourceLocation>,
    values: ReadonlyMap<Value, SourceLocation>,
  ): void {
    this.#read.set(node, container);
    this.#open.add(node);
    this.positions.set(container, { start: this.#at(node), keys, values });
  }

  #checkCollectionTag(node: YAMLMap | YAMLSeq, expected: string): void {
    if (node.tag !== undefined && node.tag !== expected) this.#unknownTag(node, node.tag);
  }

  #unknownTag(node: Node, tag: string): null {
    const short = tag.replace('tag:yaml.org,2002:', '!!');
    return this.#fail(
      node,
      `the tag ${short} is not supported`,
      'there are !unsafe, !!str, !!int, !!float, !!bool',
    );
  }

  #hasWrittenTag(node: Node): boolean {
    const start = this.#originalOffset(node.range?.[0] ?? 0);
    return /!(!str)?(\s+&\S+)?\s+$/.test(this.#text.slice(Math.max(0, start - 80), start));
  }

  #at(node: Node): SourceLocation {
    return this.#location(node.range?.[0] ?? 0);
  }

  #location(offset: number): SourceLocation {
    const { line, col } = this.#lines.linePos(Math.min(this.#originalOffset(offset), this.#text.length));
    return { file: this.#file, line: Math.max(1, line), column: Math.max(1, col) };
  }

  #fail(node: Node, message: string, hint?: string): null {
    this.#report(node.range?.[0] ?? 0, message, hint);
    return null;
  }

  #report(offset: number, message: string, hint?: string): void {
    this.#problems.push(problemIn(this.#text, this.#location(offset), message, hint));
  }
}

function isNode(value: unknown): value is Node {
  return isAlias(value) || isScalar(value) || isSeq(value) || isMap(value);
}

function isMergeKey(key: unknown): boolean {
  return isScalar(key) && key.value === '<<' && key.type === 'PLAIN';
}
