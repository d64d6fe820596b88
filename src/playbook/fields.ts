import type { SourceLocation } from '../lib/errors.ts';
import { Float, isDict, isList, type Dict, type Value } from '../lib/value.ts';
import type { YamlDocument } from '../lib/yaml.ts';
import type { Templated, Text, Texts, VarsBlock } from './ast.ts';
import { explainUnknownKeyword, isKeyword, isLoopKeyword, type Position } from './keyword-places.ts';
import { keywordOf } from './keywords.ts';
import type { LoadContext } from './load-context.ts';

type Kind = 'flag' | 'whole' | 'number' | 'text';

const FLAG_WORDS = /^(?:yes|no|true|false|on|off|y|n|t|f|1|0)$/i;
const IDENTIFIER = /^[A-Za-z_]\w*$/;

/** One dictionary of a playbook file, read by keyword; what is wrong with a value goes to the context. */
export class Fields {
  readonly context: LoadContext;
  readonly document: YamlDocument;
  readonly dict: Dict;

  constructor(context: LoadContext, document: YamlDocument, dict: Dict) {
    this.context = context;
    this.document = document;
    this.dict = dict;
  }

  get start(): SourceLocation {
    return this.document.startOf(this.dict);
  }

  /** A keyword without a value counts as left out, as in Ansible. */
  get(key: string): Value | undefined {
    return this.dict.get(key) ?? undefined;
  }

  at(key: string): SourceLocation {
    return this.document.valueAt(this.dict, key);
  }

  report(key: Value, message: string, hint?: string): undefined {
    this.context.problems.push(this.document.problem(this.document.keyAt(this.dict, key), message, hint));
    return undefined;
  }

  /** Reports every key that cannot stand here; those for which `isOther` says so are someone else's to judge. */
  checkKeywords(position: Position, isOther: (key: string) => boolean = () => false): void {
    for (const key of this.dict.keys()) {
      if (typeof key !== 'string') {
        const written = key === true ? '; on, yes and true are not text in YAML' : '';
        this.report(key, `a keyword is text, not ${describe(key)}${written}`, 'quote it');
        continue;
      }
      if (isOther(key)) continue;
      const instead = keywordOf(key)?.refused;
      if (instead !== undefined) this.report(key, `"${key}" is not supported`, instead);
      else if (
        !isKeyword(key, position) ||
        (isLoopKeyword(key) && position !== 'task' && position !== 'handler')
      ) {
        const { message, hint } = explainUnknownKeyword(key, position);
        this.report(key, message, hint);
      }
    }
  }

  templated(key: string, kind: Kind): Templated | undefined {
    const value = this.get(key);
    if (value === undefined) return undefined;
    const at = this.at(key);
    if (typeof value === 'string' && isTemplate(value)) return { value, at };
    switch (kind) {
      case 'flag':
        if (typeof value === 'boolean' || value === 0 || value === 1) return { value: Boolean(value), at };
        if (typeof value === 'string' && FLAG_WORDS.test(value))
          return { value: /^(?:y|t|on|1)/i.test(value), at };
        return this.#wrong(key, 'true or false', value);
      case 'whole':
        if (typeof value === 'number') return { value, at };
        if (typeof value === 'string' && /^-?\d+$/.test(value)) return { value: Number(value), at };
        return this.#wrong(key, 'a whole number', value);
      case 'number':
        if (typeof value === 'number' || value instanceof Float) return { value, at };
        if (typeof value === 'string' && /^\d+(\.\d+)?%?$/.test(value)) return { value, at };
        return this.#wrong(key, 'a number', value);
      case 'text':
        if (typeof value === 'string') return { value, at };
        if (typeof value === 'number') return { value: String(value), at };
        return this.#wrong(key, 'text', value);
    }
  }

  text(key: string): Text | undefined {
    const value = this.get(key);
    if (value === undefined) return undefined;
    const text = scalarText(value);
    return text === undefined ? this.#wrong(key, 'text', value) : { text, at: this.at(key) };
  }

  /** One text or a list of them. */
  texts(key: string): Texts {
    const value = this.get(key);
    if (value === undefined) return [];
    if (!isList(value)) {
      const text = this.text(key);
      return text ? [text] : [];
    }
    return value.flatMap((item, index): Text[] => {
      const text = scalarText(item);
      const at = this.document.valueAt(value, index);
      if (text !== undefined) return [{ text, at }];
      this.context.problems.push(
        this.document.problem(at, `"${key}": expected text, found ${describe(item)}`),
      );
      return [];
    });
  }

  /** Conditions are expressions. One that is wholly in braces is taken without them, since Ansible does so, too. */
  conditions(key: string): Texts {
    return this.texts(key).map(({ text, at }) => {
      const inner = /^\s*\{\{((?:(?!\}\}|\{\{)[^])*)\}\}\s*$/.exec(text)?.[1];
      if (inner === undefined) return { text, at };
      this.context.warnings.push(
        this.document.problem(at, `"${key}" is an expression already: leave out the braces {{ }}`),
      );
      return { text: inner.trim(), at };
    });
  }

  /** A name that a variable can have. */
  variableName(key: string): string | undefined {
    const text = this.text(key);
    if (!text) return undefined;
    if (IDENTIFIER.test(text.text)) return text.text;
    return this.report(
      key,
      `"${key}": "${text.text}" cannot be the name of a variable`,
      isTemplate(text.text) ? 'the name is fixed when the playbook is loaded' : 'use letters, digits and _',
    );
  }

  vars(key = 'vars'): VarsBlock | undefined {
    const value = this.get(key);
    if (value === undefined) return undefined;
    if (!isDict(value)) return this.#wrong(key, 'a dictionary of variables', value);
    for (const name of value.keys()) {
      if (typeof name === 'string' && IDENTIFIER.test(name)) continue;
      this.context.problems.push(
        this.document.problem(
          this.document.keyAt(value, name),
          `"${String(name)}" cannot be the name of a variable`,
          'use letters, digits and _, and start with a letter',
        ),
      );
    }
    return { values: value, at: this.at(key) };
  }

  /** A list of dictionaries or templates of such; one alone may stand for the list. */
  /** One dictionary or a list of them, each perhaps a template. */
  dictionaries(key: string, what: string): readonly Templated[] {
    const value = this.get(key);
    if (value === undefined) return [];
    const items = isList(value) ? value : [value];
    return items.flatMap((item, index): Templated[] => {
      const at = isList(value) ? this.document.valueAt(value, index) : this.at(key);
      if (isDict(item) || (typeof item === 'string' && isTemplate(item))) return [{ value: item, at }];
      this.#wrong(key, `a dictionary of ${what}`, item);
      return [];
    });
  }

  tags(staticVars: readonly VarsBlock[]): readonly string[] {
    const tags = this.texts('tags').flatMap((text) => {
      const rendered = this.context.renderStatic(text, staticVars) ?? '';
      return rendered.split(',').map((tag) => tag.trim());
    });
    return [...new Set(tags.filter((tag) => tag !== ''))];
  }

  /** A list of what `describe` names; anything else is reported. */
  list(key: string, what: string): readonly Value[] | undefined {
    const value = this.get(key);
    if (value === undefined) return undefined;
    return isList(value) ? value : this.#wrong(key, `a list of ${what}`, value);
  }

  #wrong(key: string, expected: string, found: Value): undefined {
    this.context.problems.push(
      this.document.problem(this.at(key), `"${key}": expected ${expected}, found ${describe(found)}`),
    );
    return undefined;
  }
}

export function isTemplate(text: string): boolean {
  return /\{[{%#]/.test(text);
}

/** A value as an error message names it. */
export function describe(value: Value): string {
  if (value === null) return 'nothing';
  if (isList(value)) return 'a list';
  if (isDict(value)) return 'a dictionary';
  if (value instanceof Float) return String(value.value);
  if (typeof value === 'string') {
    const line = value.split('\n', 1)[0] ?? '';
    return `"${line.length > 60 || line.length < value.length ? `${line.slice(0, 60)}…` : line}"`;
  }
  return String(value);
}

function scalarText(value: Value): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || typeof value === 'number' || typeof value === 'bigint')
    return String(value);
  return value instanceof Float ? String(value.value) : undefined;
}
