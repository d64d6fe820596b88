import type { TemplateOptions } from './environment.ts';
import { Fault } from './error.ts';
import { DEFAULT_SYNTAX, type Syntax } from './lexer.ts';

const HEADER = '#jinja2:';

/** Keys of the `#jinja2:` header. */
const KEYS: Readonly<Record<string, keyof Syntax | 'newlineSequence'>> = {
  block_start_string: 'blockStart',
  block_end_string: 'blockEnd',
  variable_start_string: 'variableStart',
  variable_end_string: 'variableEnd',
  comment_start_string: 'commentStart',
  comment_end_string: 'commentEnd',
  trim_blocks: 'trimBlocks',
  lstrip_blocks: 'lstripBlocks',
  keep_trailing_newline: 'keepTrailingNewline',
  newline_sequence: 'newlineSequence',
};

/** The syntax that options ask for. */
export function syntaxOf(options: TemplateOptions): Syntax {
  return {
    ...DEFAULT_SYNTAX,
    variableStart: options.variableStart ?? DEFAULT_SYNTAX.variableStart,
    variableEnd: options.variableEnd ?? DEFAULT_SYNTAX.variableEnd,
    blockStart: options.blockStart ?? DEFAULT_SYNTAX.blockStart,
    blockEnd: options.blockEnd ?? DEFAULT_SYNTAX.blockEnd,
    commentStart: options.commentStart ?? DEFAULT_SYNTAX.commentStart,
    commentEnd: options.commentEnd ?? DEFAULT_SYNTAX.commentEnd,
    trimBlocks: options.trimBlocks ?? DEFAULT_SYNTAX.trimBlocks,
    lstripBlocks: options.lstripBlocks ?? DEFAULT_SYNTAX.lstripBlocks,
  };
}

/** Applies a text's `#jinja2: key:value` header. The header's place in `body` is kept empty, so that offsets stay right. */
export function overriddenSyntax(
  source: string,
  syntax: Syntax,
): { syntax: Syntax; body: string; newlineSequence?: string } {
  if (!source.startsWith(HEADER)) return { syntax, body: source };
  const end = source.indexOf('\n');
  if (end < 0) throw new Fault('syntax', `there is no line after the ${HEADER} header`, { offset: 0 });
  const changes: Record<string, unknown> = {};
  let at = HEADER.length;
  for (const pair of source.slice(HEADER.length, end).split(',')) {
    const colon = pair.indexOf(':');
    if (colon < 0)
      throw new Fault('syntax', `expected key:value in the ${HEADER} header, found "${pair.trim()}"`, {
        offset: at,
      });
    const name = pair.slice(0, colon).trim();
    const key = Object.hasOwn(KEYS, name) ? KEYS[name] : undefined;
    if (!key) throw new Fault('syntax', `the ${HEADER} header has no key "${name}"`, { offset: at });
    changes[key] = literal(pair.slice(colon + 1).trim(), key, at);
    at += pair.length + 1;
  }
  const { newlineSequence, ...rest } = changes;
  const changed = { ...syntax, ...rest } as Syntax;
  const body = source.slice(end + 1);
  return typeof newlineSequence === 'string'
    ? { syntax: changed, body, newlineSequence }
    : { syntax: changed, body };
}

function literal(text: string, key: string, at: number): unknown {
  const wantsBoolean = key === 'trimBlocks' || key === 'lstripBlocks' || key === 'keepTrailingNewline';
  if (wantsBoolean && (text === 'True' || text === 'False')) return text === 'True';
  const string = /^(?:'([^']*)'|"([^"]*)")$/.exec(text);
  if (!wantsBoolean && string) return unescaped(string[1] ?? string[2] ?? '');
  throw new Fault(
    'syntax',
    `the ${HEADER} header expects ${wantsBoolean ? 'True or False' : 'a quoted string'}, found "${text}"`,
    { offset: at },
  );
}

function unescaped(text: string): string {
  return text.replaceAll('\\r', '\r').replaceAll('\\n', '\n');
}
