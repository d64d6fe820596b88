import { readFileSync } from 'node:fs';

import { readAssignment, splitAssignments } from '../../lib/assignments.ts';
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
  for (const written of splitAssignments({ text })) {
    const word = readAssignment(written, { text });
    if (word.kind === 'other' || !/^[A-Za-z_]\w*$/.test(word.key)) {
      throw new UserError({
        message: `--extra-vars: expected KEY=VALUE, found ${JSON.stringify(written.trim())}`,
        hint: 'other forms are @FILE and \'{"key": value}\'',
      });
    }
    variables.set(word.key, word.value);
  }
  return variables;
}
