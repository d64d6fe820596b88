import { floatText } from '../../lib/float-text.ts';
import { Float } from '../../lib/value.ts';
import { compare } from '../python/compare.ts';
import {
  isMapping,
  isSequence,
  typeFault,
  typeName,
  Undefined,
  type Data,
  type DataDict,
} from '../python/objects.ts';
import { str } from '../python/text.ts';
import { analyse, doubleQuotedCharacter, isBreak, type Analysis } from './yaml-analysis.ts';
import { kindOfScalar } from './yaml-scalar.ts';

/** How to_yaml and to_nice_yaml write. */
export interface YamlStyle {
  readonly indent?: number;
  readonly width?: number;
  readonly sortKeys?: boolean;
  /** Which collections are written in brackets: none, all, or those that hold scalars only. */
  readonly flow: 'none' | 'all' | 'scalars';
}

/** A value in YAML, laid out as PyYAML does. */
export function emitYaml(value: Data, style: YamlStyle): string {
  return new Emitter(style).document(value);
}

interface Scalar {
  readonly text: string;
  readonly isString: boolean;
}

interface Place {
  readonly mapping?: boolean;
  readonly simpleKey?: boolean;
}

class Emitter {
  readonly #indentBy: number;
  readonly #width: number;
  readonly #sortKeys: boolean;
  readonly #flow: YamlStyle['flow'];
  #out = '';
  #column = 0;
  #indent: number | undefined;
  #flowLevel = 0;
  /** Whether the last thing written was white space, and whether it was only indention. */
  #whitespace = true;
  #indention = true;

  constructor(style: YamlStyle) {
    const indent = style.indent ?? 2;
    this.#indentBy = indent > 1 && indent < 10 ? indent : 2;
    this.#width = style.width !== undefined && style.width > this.#indentBy * 2 ? style.width : 80;
    this.#sortKeys = style.sortKeys ?? true;
    this.#flow = style.flow;
  }

  document(value: Data): string {
    this.#node(value, {});
    this.#writeIndent();
    return this.#out;
  }

  #node(value: Data, place: Place): void {
    const indent = this.#indent;
    if (isSequence(value)) {
      if (this.#flowLevel > 0 || value.length === 0 || this.#isFlow(value)) this.#flowSequence(value);
      else this.#blockSequence(value, place);
    } else if (isMapping(value)) {
      if (this.#flowLevel > 0 || value.size === 0 || this.#isFlow([...value].flat()))
        this.#flowMapping(value);
      else this.#blockMapping(value);
    } else {
      this.#increaseIndent(true, false);
      this.#scalar(scalarOf(value), place);
    }
    this.#indent = indent;
  }

  #isFlow(items: readonly Data[]): boolean {
    if (this.#flow !== 'scalars') return this.#flow === 'all';
    return !items.some((item) => isSequence(item) || isMapping(item));
  }

  #increaseIndent(flow: boolean, indentless: boolean): void {
    if (this.#indent === undefined) this.#indent = flow ? this.#indentBy : 0;
    else if (!indentless) this.#indent += this.#indentBy;
  }

  #entries(dict: DataDict): readonly (readonly [Data, Data])[] {
    const entries = [...dict];
    if (!this.#sortKeys) return entries;
    try {
      return entries.sort(([a], [b]) => compare(a, b));
    } catch {
      // Keys without a common order stay as they are, as in PyYAML.
      return [...dict];
    }
  }

  #blockSequence(items: readonly Data[], place: Place): void {
    this.#increaseIndent(false, place.mapping === true && !this.#indention);
    for (const item of items) {
      this.#writeIndent();
      this.#indicator('-', true, { indention: true });
      this.#node(item, {});
    }
  }

  #blockMapping(dict: DataDict): void {
    this.#increaseIndent(false, false);
    for (const [key, value] of this.#entries(dict)) {
      this.#writeIndent();
      if (isSimpleKey(key)) {
        this.#node(key, { mapping: true, simpleKey: true });
        this.#indicator(':', false);
      } else {
        this.#indicator('?', true, { indention: true });
        this.#node(key, { mapping: true });
        this.#writeIndent();
        this.#indicator(':', true, { indention: true });
      }
      this.#node(value, { mapping: true });
    }
  }

  #flowSequence(items: readonly Data[]): void {
    this.#indicator('[', true, { whitespace: true });
    this.#flowLevel++;
    this.#increaseIndent(true, false);
    for (const [index, item] of items.entries()) {
      if (index > 0) this.#indicator(',', false);
      if (this.#column > this.#width) this.#writeIndent();
      this.#node(item, {});
    }
    this.#flowLevel--;
    this.#indicator(']', false);
  }

  #flowMapping(dict: DataDict): void {
    this.#indicator('{', true, { whitespace: true });
    this.#flowLevel++;
    this.#increaseIndent(true, false);
    for (const [index, [key, value]] of this.#entries(dict).entries()) {
      if (index > 0) this.#indicator(',', false);
      if (this.#column > this.#width) this.#writeIndent();
      if (isSimpleKey(key)) {
        this.#node(key, { mapping: true, simpleKey: true });
        this.#indicator(':', false);
      } else {
        this.#indicator('?', true);
        this.#node(key, { mapping: true });
        if (this.#column > this.#width) this.#writeIndent();
        this.#indicator(':', true);
      }
      this.#node(value, { mapping: true });
    }
    this.#flowLevel--;
    this.#indicator('}', false);
  }

  #scalar(scalar: Scalar, place: Place): void {
    const analysis = analyse(scalar.text);
    const simpleKey = place.simpleKey === true;
    if (this.#mayBePlain(scalar, analysis, simpleKey)) this.#plain(scalar.text, !simpleKey);
    else if (analysis.allowSingleQuoted && !(simpleKey && analysis.multiline))
      this.#singleQuoted(scalar.text, !simpleKey);
    else this.#doubleQuoted(scalar.text, !simpleKey);
  }

  #mayBePlain(scalar: Scalar, analysis: Analysis, simpleKey: boolean): boolean {
    if (scalar.isString && kindOfScalar(scalar.text) !== 'str') return false;
    if (simpleKey && (analysis.empty || analysis.multiline)) return false;
    return this.#flowLevel > 0 ? analysis.allowFlowPlain : analysis.allowBlockPlain;
  }

  #write(text: string): void {
    this.#out += text;
    this.#column += text.length;
  }

  #indicator(
    text: string,
    needsSpace: boolean,
    after: { whitespace?: boolean; indention?: boolean } = {},
  ): void {
    this.#write(this.#whitespace || !needsSpace ? text : ` ${text}`);
    this.#whitespace = after.whitespace ?? false;
    this.#indention = this.#indention && (after.indention ?? false);
  }

  #lineBreak(text = '\n'): void {
    this.#out += text;
    this.#whitespace = true;
    this.#indention = true;
    this.#column = 0;
  }

  #writeIndent(): void {
    const indent = this.#indent ?? 0;
    if (!this.#indention || this.#column > indent || (this.#column === indent && !this.#whitespace))
      this.#lineBreak();
    if (this.#column < indent) {
      this.#whitespace = true;
      this.#write(' '.repeat(indent - this.#column));
    }
  }

  #plain(text: string, split: boolean): void {
    if (text === '') return;
    if (!this.#whitespace) this.#write(' ');
    this.#whitespace = false;
    this.#indention = false;
    for (const [piece] of text.matchAll(/ +|[^ ]+/g)) {
      if (piece === ' ' && this.#column > this.#width && split) {
        this.#writeIndent();
        this.#whitespace = false;
        this.#indention = false;
      } else this.#write(piece);
    }
  }

  #singleQuoted(text: string, split: boolean): void {
    this.#indicator("'", true);
    let at = 0;
    for (const [piece] of text.matchAll(/ +|[\n\x85\u2028\u2029]+|[^ \n\x85\u2028\u2029]+/g)) {
      const end = at + piece.length;
      if (piece.startsWith(' ')) {
        if (piece === ' ' && this.#column > this.#width && split && at !== 0 && end !== text.length)
          this.#writeIndent();
        else this.#write(piece);
      } else if (isBreak(piece[0]!)) {
        // One line break would be read as a space.
        if (piece.startsWith('\n')) this.#lineBreak();
        for (const one of piece) this.#lineBreak(one);
        this.#writeIndent();
      } else this.#write(piece.replaceAll("'", "''"));
      at = end;
    }
    this.#indicator("'", false);
  }

  #doubleQuoted(text: string, split: boolean): void {
    this.#indicator('"', true);
    const characters = [...text];
    let afterSpace = false;
    for (const [index, one] of characters.entries()) {
      const isInside = index > 0 && index < characters.length - 1;
      if (one === ' ' && split && !afterSpace && isInside && this.#column > this.#width) {
        // The line break stands for the space; a further space needs a mark to be kept.
        this.#writeIndent();
        if (characters[index + 1] === ' ') this.#write('\\');
      } else this.#write(doubleQuotedCharacter(one) ?? one);
      afterSpace = one === ' ';
      if (one !== ' ') this.#indention = false;
    }
    this.#indicator('"', false);
  }
}

function isSimpleKey(key: Data): boolean {
  if (isSequence(key) || isMapping(key)) return isSequence(key) ? key.length === 0 : key.size === 0;
  const { text } = scalarOf(key);
  const { empty, multiline } = analyse(text);
  // The tag of other scalars counts as well, but is never written.
  return text.length < 128 && !empty && !multiline;
}

function scalarOf(value: Data): Scalar {
  if (typeof value === 'string') return { text: value, isString: true };
  if (value === null) return { text: 'null', isString: false };
  if (typeof value === 'boolean') return { text: String(value), isString: false };
  if (typeof value === 'number' || typeof value === 'bigint') return { text: String(value), isString: false };
  if (value instanceof Float) return { text: yamlFloat(value.value), isString: false };
  if (value instanceof Undefined) throw value.fault();
  if (isSequence(value) || isMapping(value)) throw typeFault(`a ${typeName(value)} is no scalar`);
  return { text: str(value), isString: true };
}

function yamlFloat(value: number): string {
  if (Number.isNaN(value)) return '.nan';
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf';
  const text = floatText(value);
  return text.includes('.') ? text : text.replace('e', '.0e');
}
