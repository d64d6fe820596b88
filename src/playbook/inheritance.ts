import type { Inherited, MergedKeywords, NearestKeywords, OwnKeywords, VarsBlock } from './ast.ts';
import type { Fields } from './fields.ts';
import type { Level } from './keyword.ts';
import { KEYWORDS, keywordsWhere, type KeywordName } from './keywords.ts';

export const NOTHING_INHERITED: Inherited = {
  when: [],
  tags: [],
  environment: [],
  moduleDefaults: [],
  vars: [],
};

/** Reads the keywords of one level that what stands inside takes over. */
export function readInheritance(fields: Fields, staticVars: readonly VarsBlock[]): Inherited {
  const vars = fields.vars();
  const merged: MergedKeywords = {
    when: fields.conditions('when'),
    tags: fields.tags(vars ? [...staticVars, vars] : staticVars),
    environment: fields.dictionaries('environment', 'environment variables'),
    moduleDefaults: fields.dictionaries('module_defaults', 'arguments by the names of modules'),
    vars: vars ? [vars] : [],
  };
  const nearest = keywordsWhere(({ inherit }) => inherit === 'nearest');
  return { ...(readKeywords(fields, nearest) as NearestKeywords), ...merged };
}

/** Reads the keywords of one level that nothing inside takes over, but for those that have a reader of their own. */
export function readOwn<On extends Level>(fields: Fields, level: On): OwnKeywords<On> {
  const own = keywordsWhere(({ inherit, on }) => inherit === 'none' && on.includes(level));
  return readKeywords(fields, own);
}

/** The nearer value wins, except for what is merged. */
export function inherit(outer: Inherited, own: Inherited): Inherited {
  const merged: MergedKeywords = {
    when: [...outer.when, ...own.when],
    tags: [...new Set([...outer.tags, ...own.tags])],
    environment: [...outer.environment, ...own.environment],
    moduleDefaults: [...outer.moduleDefaults, ...own.moduleDefaults],
    vars: [...outer.vars, ...own.vars],
  };
  return { ...outer, ...own, ...merged };
}

/** Keywords by their names in this code, those that are not there left out. The table gives the types (ast.ts). */
function readKeywords(fields: Fields, names: readonly KeywordName[]): object {
  const read = names.flatMap((name) => {
    const value = fields.get(name) === undefined ? undefined : readKeyword(fields, name);
    return value === undefined ? [] : [[camelCase(name), value] as const];
  });
  return Object.fromEntries(read);
}

function readKeyword(fields: Fields, name: KeywordName): unknown {
  const { kind } = KEYWORDS[name];
  switch (kind) {
    case 'flag':
    case 'whole':
    case 'number':
    case 'text':
      return fields.templated(name, kind);
    case 'title':
      return fields.text(name);
    case 'variable':
      return fields.variableName(name);
    case 'texts':
      return fields.texts(name);
    case 'conditions':
      return fields.conditions(name);
    default:
      return undefined;
  }
}

function camelCase(name: string): string {
  return name.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}

type Defined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

/** An object without the keys that have no value, as exact optional properties want it. */
export function withoutUndefined<T extends object>(object: T): Defined<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Defined<T>;
}
