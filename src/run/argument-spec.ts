import { Float, fromPlain, isDict, isList, type Dict, type Value } from '../lib/value.ts';
import { typeName } from '../template/python/objects.ts';
import { repr, str } from '../template/python/text.ts';

/**
 * Checks values against a specification of arguments, as meta/argument_specs.yml has it, and says what is wrong in
 * Ansible's words. Values that Ansible would convert to the type are right.
 */
export function argumentErrors(spec: Dict, given: Dict): readonly string[] {
  const found: Found = { errors: [], unknown: [] };
  checkOptions(spec, new Map(given), [], found);
  const last = found.unknown.at(-1);
  if (last) {
    const names = [...new Set(found.unknown.map((one) => one.names.join('.')))].sort();
    found.errors.push(`${names.join(', ')}. Supported parameters include: ${last.known.join(', ')}.`);
  }
  return found.errors;
}

interface Found {
  readonly errors: string[];
  readonly unknown: { readonly names: readonly string[]; readonly known: readonly string[] }[];
}

/** One level of options; defaults and conversions go into `values`. */
function checkOptions(spec: Dict, values: Map<Value, Value>, context: readonly string[], found: Found): void {
  const options = [...spec].map(([name, row]): Option => [String(name), isDict(row) ? row : new Map()]);
  if (context.length > 0) checkNames(options, values, context, found);
  for (const [name, row] of options) {
    const fallback = row.get('default') ?? null;
    if (!values.has(name) && fallback !== null) values.set(name, fallback);
  }
  const missing = options.filter(([name, row]) => isYes(row.get('required')) && !values.has(name));
  if (missing.length > 0) {
    const names = missing.map(([name]) => name).sort();
    found.errors.push(`missing required arguments: ${names.join(', ')}${within(context)}`);
  }
  for (const option of options) checkType(option, values, context, found);
  for (const option of options) checkChoices(option, values, context, found);
  for (const [name, row] of options) checkInner(name, row, values, context, found);
}

type Option = readonly [name: string, row: Dict];

function checkNames(
  options: readonly Option[],
  values: Map<Value, Value>,
  context: readonly string[],
  found: Found,
): void {
  const aliases = new Map(
    options.flatMap(([name, row]) => texts(row.get('aliases')).map((alias) => [alias, name])),
  );
  for (const [key, value] of values) {
    const name = aliases.get(String(key));
    if (name !== undefined) values.set(name, value);
    else if (!options.some(([one]) => one === key)) {
      const known = options.map(([one]) => one).sort();
      const others = [...aliases.keys()].sort();
      found.unknown.push({
        names: [...context, String(key)],
        known:
          others.length === 0 ? known : [...known.slice(0, -1), `${known.at(-1)} (${others.join(', ')})`],
      });
    }
  }
}

function checkType(
  [name, row]: Option,
  values: Map<Value, Value>,
  context: readonly string[],
  found: Found,
): void {
  const value = values.get(name);
  if (value === undefined || (value === null && !isYes(row.get('required')))) return;
  const type = String(row.get('type') ?? 'str');
  const where = context.length === 0 ? '' : ` found in '${context.join(' -> ')}'.`;
  const converted = convert(type, value);
  if ('problem' in converted) {
    found.errors.push(
      `argument '${name}' is of type ${classOf(value)}${where} and we were unable to convert to ${type}: ${converted.problem}`,
    );
    return;
  }
  values.set(name, converted.value);
  const elements = row.get('elements');
  if (typeof elements !== 'string' || !isList(converted.value)) return;
  values.set(
    name,
    converted.value.map((element) => {
      const one = convert(elements, element);
      if ('value' in one) return one.value;
      found.errors.push(
        `Elements value for option '${name}'${where} is of type ${classOf(element)} and we were unable to convert to ${elements}: ${one.problem}`,
      );
      return element;
    }),
  );
}

function checkChoices(
  [name, row]: Option,
  values: Map<Value, Value>,
  context: readonly string[],
  found: Found,
): void {
  const choices = row.get('choices');
  const value = values.get(name);
  if (!isList(choices) || value === undefined) return;
  const isChoice = (one: Value): boolean => choices.some((choice) => repr(choice) === repr(one));
  const known = choices.map((choice) => str(choice)).join(', ');
  if (isList(value)) {
    const others = value.filter((one) => !isChoice(one));
    if (others.length > 0)
      found.errors.push(
        `value of ${name} must be one or more of: ${known}. Got no match for: ${others.map((one) => str(one)).join(', ')}${within(context)}`,
      );
  } else if (!isChoice(value) && !isYesOrNoOf(choices, value)) {
    found.errors.push(`value of ${name} must be one of: ${known}, got: ${str(value)}${within(context)}`);
  }
}

/** YAML has made a boolean of `yes`, and the conversion to text `True`: if only one choice can be meant, it is. */
function isYesOrNoOf(choices: readonly Value[], value: Value): boolean {
  const words = { True: ['yes', 'on', '1', 'true', 'y', 't'], False: ['no', 'off', '0', 'false', 'n', 'f'] };
  const meant = value === 'True' ? words.True : value === 'False' ? words.False : [];
  return choices.filter((choice) => meant.includes(str(choice).toLowerCase())).length === 1;
}

function checkInner(
  name: string,
  row: Dict,
  values: Map<Value, Value>,
  context: readonly string[],
  found: Found,
): void {
  const inner = row.get('options');
  const type = row.get('type');
  if (!isDict(inner) || !(type === 'dict' || (type === 'list' && row.get('elements') === 'dict'))) return;
  let value = values.get(name) ?? null;
  if (value === null && isYes(row.get('apply_defaults'))) value = new Map();
  if (value === null) return;
  for (const element of isList(value) ? value : [value]) {
    if (isDict(element)) checkOptions(inner, new Map(element), [...context, name], found);
    else found.errors.push(`value of '${name}' must be of type dict or list of dicts`);
  }
}

type Converted = { readonly value: Value } | { readonly problem: string };

/** A value as a type of Ansible's, or why it cannot be one. */
function convert(type: string, value: Value): Converted {
  const fail = (what: string): Converted => ({ problem: `${classOf(value)} cannot be converted to ${what}` });
  const isNumber = typeof value === 'number' || typeof value === 'bigint' || value instanceof Float;
  switch (type) {
    case 'str':
    case 'path':
      return value === null
        ? { problem: "'None' is not a string and conversion is not allowed" }
        : { value: str(value) };
    case 'list':
      if (isList(value)) return { value };
      if (typeof value === 'string') return { value: value.split(',') };
      return isNumber || typeof value === 'boolean' ? { value: [str(value)] } : fail('a list');
    case 'dict':
      if (isDict(value)) return { value };
      return typeof value === 'string' ? dictionary(value) : fail('a dict');
    case 'bool':
      return boolean(value, isNumber, fail);
    case 'int':
      return wholeNumber(value, isNumber);
    case 'float': {
      const isFloat =
        isNumber || typeof value === 'boolean' || (typeof value === 'string' && isDecimal(value));
      return isFloat
        ? { value: new Float(Number(value instanceof Float ? value.value : value)) }
        : fail('a float');
    }
    case 'bytes':
    case 'bits': {
      const isSize = isNumber || (typeof value === 'string' && SIZE.test(value));
      return isSize ? { value } : fail(type === 'bytes' ? 'a Byte value' : 'a Bit value');
    }
    case 'json':
    case 'jsonarg':
      return typeof value === 'string' || isList(value) || isDict(value) ? { value } : fail('a json string');
    default:
      return { value };
  }
}

const SIZE = /^\s*\d*\.?\d+\s*([kmgtpezy]?(b|bits?|bytes?)?)\s*$/i;

function isDecimal(text: string): boolean {
  return /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(text);
}

function boolean(value: Value, isNumber: boolean, fail: (what: string) => Converted): Converted {
  if (typeof value === 'boolean') return { value };
  if (typeof value !== 'string' && !isNumber) return fail('a bool');
  const word = str(value).trim().toLowerCase();
  if (['y', 'yes', 'on', '1', '1.0', 'true', 't'].includes(word)) return { value: true };
  if (['n', 'no', 'off', '0', '0.0', 'false', 'f'].includes(word)) return { value: false };
  return { problem: `The value '${str(value)}' is not a valid boolean.` };
}

function wholeNumber(value: Value, isNumber: boolean): Converted {
  if (typeof value === 'boolean' || typeof value === 'number' || typeof value === 'bigint') return { value };
  const number = value instanceof Float ? value.value : Number(value);
  const isText = typeof value === 'string' && isDecimal(value);
  return (isText || isNumber) && Number.isInteger(number)
    ? { value: number }
    : { problem: `"${repr(value)}" cannot be converted to an int` };
}

/** JSON, or words with a sign between name and value. */
function dictionary(text: string): Converted {
  if (text.startsWith('{')) {
    try {
      return { value: fromPlain(JSON.parse(text)) };
    } catch {
      return { problem: 'unable to evaluate string as dictionary' };
    }
  }
  if (!text.includes('=')) return { problem: 'dictionary requested, could not parse JSON or key=value' };
  const pairs = text.split(/[,\s]+/).filter((word) => word !== '');
  return pairs.every((pair) => pair.includes('='))
    ? {
        value: new Map(
          pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
        ),
      }
    : { problem: 'unable to evaluate string in the "key=value" format as dictionary' };
}

function classOf(value: Value): string {
  return `<class '${typeName(value)}'>`;
}

function within(context: readonly string[]): string {
  return context.length === 0 ? '' : ` found in ${context.join(' -> ')}`;
}

function isYes(value: Value | undefined): boolean {
  return value === true || (typeof value === 'string' && /^(y|yes|true|on|1)$/i.test(value));
}

function texts(value: Value | undefined): readonly string[] {
  return isList(value) ? value.map(String) : value === undefined || value === null ? [] : [String(value)];
}
