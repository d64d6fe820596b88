import { readFileSync } from 'node:fs';

import { UserError } from '../../lib/errors.ts';
import { type Dict, isDict, isList, type Value } from '../../lib/value.ts';
import { parseYaml } from '../../lib/yaml.ts';

/**
 * One `--extra-vars` argument as Ansible takes it: `@FILE` (YAML or JSON), a YAML or JSON mapping, or
 * `KEY=VALUE` pairs, whose values are always strings.
 */
export function parseExtraVariables(text: string): Dict {
  if (text.startsWith('@')) return parseMapping(readVariables(text.slice(1)), text.slice(1));
  if (/^\s*[[{]/.test(text) || /^\s*[\w"']+:\s/.test(text)) return parseMapping(text, '--extra-vars');
  return parsePairs(text);
}

function readVariables(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UserError(`--extra-vars: cannot read ${file}: ${(error as Error).message}`, { cause: error });
  }
}

function parseMapping(source: string, file: string): Dict {
  const { value } = parseYaml(source, file);
  if (value === null) return new Map();
  if (!isDict(value)) {
    const found = isList(value) ? 'a list' : 'a single value';
    throw new UserError(`${file}: expected a mapping of variables, found ${found}`);
  }
  return value;
}

function parsePairs(text: string): Dict {
  const variables = new Map<Value, Value>();
  for (const word of splitWords(text)) {
    const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(word) ?? [];
    if (name === undefined || value === undefined) {
      throw new UserError({
        message: `--extra-vars: expected KEY=VALUE, found ${JSON.stringify(word)}`,
        hint: 'other forms are @FILE and \'{"key": value}\'',
      });
    }
    variables.set(name, value);
  }
  return variables;
}

/** Splits at blanks outside quotes, as a shell does. */
function splitWords(text: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let index = 0; index < text.length; index++) {
    const character = text.charAt(index);
    if (quote !== '') {
      if (character === quote) quote = '';
      else if (character === '\\' && quote === '"' && index + 1 < text.length) word += text.charAt(++index);
      else word += character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= '';
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word =
        (word ?? '') + (character === '\\' && index + 1 < text.length ? text.charAt(++index) : character);
    }
  }
  if (quote !== '') throw new UserError(`--extra-vars: a ${quote} is not closed in: ${text}`);
  if (word !== undefined) words.push(word);
  return words;
}
