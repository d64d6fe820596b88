import { parseAllDocuments, parseDocument, type Document } from 'yaml';

import { jsonFloat, jsonString } from '../../lib/json-text.ts';
import { Float } from '../../lib/value.ts';
import { compare, numeric, truth } from '../python/compare.ts';
import { isMapping, isSequence, own, typeFault, typeName, Undefined, type Data } from '../python/objects.ts';
import { text } from '../python/string-methods.ts';
import { str } from '../python/text.ts';
import { parseJson } from './json.ts';
import { filter, type Filters } from './define.ts';
import { emitYaml } from './yaml-emit.ts';
import { fromYaml } from './yaml-read.ts';

/** Filters that read and write JSON and YAML. */
export const serialFilters: Filters = {
  to_json: filter('**kwargs', (value, _values, _call, { keywords }) =>
    toJson(value, jsonStyle(keywords, {})),
  ),
  to_nice_json: filter(
    'indent? sort_keys? **kwargs',
    (value, [indent = 4, sort = true], _call, { keywords }) =>
      toJson(value, jsonStyle(keywords, { indent, sortKeys: truth(sort), separators: [',', ': '] })),
  ),
  tojson: filter('indent?', (value, [indent = null]) =>
    toJson(value, jsonStyle(new Map(), { indent, sortKeys: true }))
      .replaceAll('<', '\\u003c')
      .replaceAll('>', '\\u003e')
      .replaceAll('&', '\\u0026')
      .replaceAll("'", '\\u0027'),
  ),
  from_json: filter('', (value) => parseJson(text(value))),
  to_yaml: filter('default_flow_style? **kwargs', (value, [flow], _call, { keywords }) =>
    emitYaml(value, {
      ...yamlStyle(keywords),
      flow: flow === undefined || flow === null ? 'scalars' : truth(flow) ? 'all' : 'none',
    }),
  ),
  to_nice_yaml: filter('indent? **kwargs', (value, [indent = 4], _call, { keywords }) =>
    emitYaml(value, { ...yamlStyle(new Map([['indent', indent], ...keywords])), flow: 'none' }),
  ),
  from_yaml: filter('', (value) =>
    typeof value === 'string' ? fromYaml(parseDocument(value, YAML_OPTIONS)) : value,
  ),
  from_yaml_all: filter('', (value) => {
    // Of None there are no documents.
    if (value === null) return own([]);
    if (typeof value !== 'string') return value;
    const documents = parseAllDocuments(value, YAML_OPTIONS);
    return own(Array.isArray(documents) ? (documents as Document[]).map(fromYaml) : []);
  }),
};

const YAML_OPTIONS = {
  version: '1.1',
  keepSourceTokens: false,
  intAsBigInt: true,
  logLevel: 'silent',
  merge: true,
} as const;

interface JsonStyle {
  readonly indent: string | undefined;
  readonly sortKeys: boolean;
  readonly item: string;
  readonly key: string;
  readonly ascii: boolean;
}

function jsonStyle(
  keywords: ReadonlyMap<string, Data>,
  given: { indent?: Data; sortKeys?: boolean; separators?: readonly [string, string] },
): JsonStyle {
  const known = ['indent', 'sort_keys', 'separators', 'ensure_ascii', 'vault_to_text', 'preprocess_unsafe'];
  for (const key of keywords.keys())
    if (!known.includes(key)) throw typeFault(`the argument "${key}" is not supported`);
  const indent = keywords.has('indent') ? keywords.get('indent')! : (given.indent ?? null);
  const separators = keywords.get('separators');
  const pair = isSequence(separators) ? separators.map(text) : undefined;
  const indentText =
    indent === null
      ? undefined
      : typeof indent === 'string'
        ? indent
        : ' '.repeat(integerOf(indent, 'indent'));
  return {
    indent: indentText,
    sortKeys: keywords.has('sort_keys') ? truth(keywords.get('sort_keys')!) : (given.sortKeys ?? false),
    item: pair?.[0] ?? given.separators?.[0] ?? (indentText === undefined ? ', ' : ','),
    key: pair?.[1] ?? given.separators?.[1] ?? ': ',
    ascii: !keywords.has('ensure_ascii') || truth(keywords.get('ensure_ascii')!),
  };
}

function yamlStyle(keywords: ReadonlyMap<string, Data>): {
  indent?: number;
  width?: number;
  sortKeys?: boolean;
} {
  const style: { indent?: number; width?: number; sortKeys?: boolean } = {};
  for (const [key, value] of keywords) {
    if (key === 'indent') {
      if (value !== null) style.indent = integerOf(value, key);
    } else if (key === 'width') style.width = value instanceof Float ? value.value : integerOf(value, key);
    else if (key === 'sort_keys') style.sortKeys = truth(value);
    else if (key !== 'allow_unicode') throw typeFault(`the argument "${key}" is not supported`);
  }
  return style;
}

function integerOf(value: Data, name: string): number {
  const number = value instanceof Float ? undefined : numeric(value);
  if (number === undefined) throw typeFault(`${name} must be an integer, not ${typeName(value)}`);
  return Number(number);
}

/** Python's `json.dumps`. */
function toJson(value: Data, style: JsonStyle, margin = ''): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return jsonString(value, style.ascii);
  if (typeof value === 'boolean') return String(value);
  if (value instanceof Float) return jsonFloat(value.value);
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  const inner = style.indent === undefined ? '' : margin + style.indent;
  const wrap = (open: string, items: readonly string[], close: string): string => {
    if (items.length === 0) return open + close;
    if (style.indent === undefined) return open + items.join(style.item) + close;
    return `${open}\n${inner}${items.join(`${style.item}\n${inner}`)}\n${margin}${close}`;
  };
  if (isSequence(value))
    return wrap(
      '[',
      Array.from(value, (item) => toJson(item, style, inner)),
      ']',
    );
  if (isMapping(value)) {
    const entries = [...value];
    if (style.sortKeys) entries.sort(([a], [b]) => compare(a, b));
    return wrap(
      '{',
      entries.map(([key, item]) => jsonKey(key, style.ascii) + style.key + toJson(item, style, inner)),
      '}',
    );
  }
  if (value instanceof Undefined) throw value.fault();
  return jsonString(str(value), style.ascii);
}

function jsonKey(key: Data, ascii: boolean): string {
  if (typeof key === 'string') return jsonString(key, ascii);
  if (key === null) return '"null"';
  if (typeof key === 'boolean') return `"${key}"`;
  if (key instanceof Float) return `"${jsonFloat(key.value)}"`;
  if (typeof key === 'number' || typeof key === 'bigint') return `"${key}"`;
  throw typeFault(`keys must be str, int, float, bool or None, not ${typeName(key)}`);
}
