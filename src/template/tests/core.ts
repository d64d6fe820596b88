import { Float } from '../../lib/value.ts';
import { booleanOf } from '../filters/control.ts';
import { test, type Tests } from '../filters/define.ts';
import { iterate } from '../python/access.ts';
import { compare, contains, equal, numeric, requireHashable, truth } from '../python/compare.ts';
import {
  isMapping,
  isSequence,
  PythonObject,
  typeFault,
  typeName,
  Undefined,
  type Data,
} from '../python/objects.ts';
import { flag, textRegex } from '../python/regex.ts';
import { text } from '../python/string-methods.ts';
import { str } from '../python/text.ts';
import { compareVersions } from './version.ts';

const is = (operator: string, holds: (order: number) => boolean): Tests[string] =>
  test('other', (value, [other]) => holds(compare(value, other!, operator)));
const equals = test('other', (value, [other]) => equal(value, other!));
const differs = test('other', (value, [other]) => !equal(value, other!));
const less = is('<', (order) => order < 0);
const atMost = is('<=', (order) => order <= 0);
const greater = is('>', (order) => order > 0);
const atLeast = is('>=', (order) => order >= 0);
const subset = test('other', (value, [other]) => isSubset(value, other!));
const superset = test('other', (value, [other]) => isSubset(other!, value));
const version = test('version operator? strict? version_type?', (value, [
  other,
  operator = 'eq',
  strict = null,
  type = null,
]) => compareVersions(value, other!, operator, strict, type));
const regexTest = (kind: 'search' | 'match'): Tests[string] =>
  test('pattern? ignorecase? multiline?', (value, [pattern = '', ignoreCase, multiline]) =>
    matches(value, pattern, ignoreCase, multiline, kind));

/** Jinja's own tests, and Ansible's about texts, lists and versions. */
export const coreTests: Tests = {
  defined: test('', (value) => !(value instanceof Undefined), { acceptsUndefined: true }),
  undefined: test('', (value) => value instanceof Undefined, { acceptsUndefined: true }),
  none: test('', (value) => value === null),
  boolean: test('', (value) => typeof value === 'boolean'),
  true: test('', (value) => value === true),
  false: test('', (value) => value === false),
  integer: test('', (value) => typeof value === 'number' || typeof value === 'bigint'),
  float: test('', (value) => value instanceof Float),
  number: test('', (value) => numeric(value) !== undefined),
  string: test('', (value) => typeof value === 'string'),
  mapping: test('', (value) => isMapping(value)),
  sequence: test('', (value) => typeof value === 'string' || isSequence(value) || isMapping(value)),
  iterable: test('', (value) => typeof value === 'string' || isSequence(value) || isMapping(value)),
  callable: test('', (value) => value instanceof PythonObject),
  odd: test('', (value) => modulo(value, 2) === 1),
  even: test('', (value) => modulo(value, 2) === 0),
  divisibleby: test('num', (value, [by]) => modulo(value, whole(by!)) === 0),
  lower: test('', (value) =>
    str(value) === str(value).toLowerCase() && str(value) !== str(value).toUpperCase()),
  upper: test('', (value) =>
    str(value) === str(value).toUpperCase() && str(value) !== str(value).toLowerCase()),
  sameas: test('other', (value, [other]) => value === other),
  escaped: test('', () => false),
  in: test('seq', (value, [container]) => contains(container!, value)),
  filter: test('', (value, _values, call) => typeof value === 'string' && call.knows('filter', value)),
  test: test('', (value, _values, call) => typeof value === 'string' && call.knows('test', value)),
  eq: equals,
  equalto: equals,
  '==': equals,
  ne: differs,
  '!=': differs,
  lt: less,
  lessthan: less,
  '<': less,
  le: atMost,
  '<=': atMost,
  gt: greater,
  greaterthan: greater,
  '>': greater,
  ge: atLeast,
  '>=': atLeast,
  truthy: test('convert_bool?', (value, [convert]) => truthy(value, convert)),
  falsy: test('convert_bool?', (value, [convert]) => !truthy(value, convert)),
  match: regexTest('match'),
  search: regexTest('search'),
  regex: test('pattern? ignorecase? multiline? match_type?', (value, [
    pattern = '',
    ignoreCase,
    multiline,
    type,
  ]) => {
    if (type === 'fullmatch') throw typeFault('the match_type "fullmatch" is not supported');
    return matches(value, pattern, ignoreCase, multiline, type === 'match' ? 'match' : 'search');
  }),
  version,
  version_compare: version,
  any: test('', (value) => iterate(value).some(truth)),
  all: test('', (value) => iterate(value).every(truth)),
  subset,
  issubset: subset,
  superset,
  issuperset: superset,
  contains: test('item', (value, [item]) => contains(value, item!)),
  nan: test('', (value) => value instanceof Float && Number.isNaN(value.value)),
  isnan: test('', (value) => value instanceof Float && Number.isNaN(value.value)),
  abs: test('', (value) => text(value).startsWith('/')),
  is_abs: test('', (value) => text(value).startsWith('/')),
  url: test('schemes?', (value, [schemes]) => typeof value === 'string' && isUrl(value, schemes)),
};

function isSubset(part: Data, set: Data): boolean {
  const all = iterate(set);
  const items = iterate(part);
  for (const one of [...items, ...all]) requireHashable(one);
  return items.every((one) => contains(all, one));
}

function whole(value: Data): number {
  const number = value instanceof Float ? undefined : numeric(value);
  if (number === undefined) throw typeFault(`an integer is needed, not ${typeName(value)}`);
  return Number(number);
}

function modulo(value: Data, by: number): number {
  const number = numeric(value);
  if (number === undefined) throw typeFault(`a number is needed, not ${typeName(value)}`);
  if (by === 0) throw typeFault('integer modulo by zero');
  const rest = Number(typeof number === 'bigint' ? number % BigInt(by) : number % by);
  return rest !== 0 && rest < 0 !== by < 0 ? rest + by : rest;
}

function truthy(value: Data, convert: Data | undefined): boolean {
  const converted = convert !== undefined && truth(convert) ? booleanOf(value) : undefined;
  return converted ?? truth(value);
}

function matches(
  value: Data,
  pattern: Data | undefined,
  ignoreCase: Data | undefined,
  multiline: Data | undefined,
  kind: 'search' | 'match',
): boolean {
  const regex = textRegex(text(pattern), {
    ignoreCase: flag(ignoreCase),
    multiline: flag(multiline),
  });
  return (kind === 'match' ? regex.match(str(value)) : regex.search(str(value))) !== null;
}

function isUrl(value: string, schemes: Data | undefined): boolean {
  const match = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/[^/?#]+/.exec(value);
  if (!match) return false;
  return schemes === undefined || schemes === null || contains(schemes, match[1]!.toLowerCase());
}
