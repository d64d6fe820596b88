import type { SourceLocation } from '../lib/errors.ts';
import type { SecretRegistry } from '../lib/secret.ts';
import type { Value } from '../lib/value.ts';

/** Where template text stands in a file, for messages. */
export type TemplateOrigin = SourceLocation;

/** Where a template's variables come from. */
export interface VariableSource {
  /** The value of a variable, or undefined if there is none. May throw. */
  get(name: string): Value | undefined;
  names(): Iterable<string>;
}

/** What a template may reach beside its variables. */
export interface TemplateEnvironment {
  readonly secrets: SecretRegistry;
  /** A lookup plugin's answer as `query` gives it: a list. */
  lookup?(name: string, terms: readonly Value[], options: ReadonlyMap<string, Value>): Value;
  /** The text of another template, for include, import and extends; `base` is the file that is rendered. */
  loadTemplate?(name: string, base?: string): { source: string; file: string };
  readonly now?: () => Date;
}

/** How a template's white space is treated. */
export interface TemplateOptions {
  readonly origin?: TemplateOrigin | undefined;
  readonly trimBlocks?: boolean | undefined;
  readonly lstripBlocks?: boolean | undefined;
  readonly newlineSequence?: string | undefined;
  /** Markers other than `{{ }}`, `{% %}` and `{# #}`. */
  readonly variableStart?: string | undefined;
  readonly variableEnd?: string | undefined;
  readonly blockStart?: string | undefined;
  readonly blockEnd?: string | undefined;
  readonly commentStart?: string | undefined;
  readonly commentEnd?: string | undefined;
}
