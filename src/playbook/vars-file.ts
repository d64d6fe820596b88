import { UserError } from '../lib/errors.ts';
import { isDict } from '../lib/value.ts';
import { readYaml } from '../lib/yaml.ts';
import type { VarsBlock } from './ast.ts';

/** Reads a file of variables: a dictionary, or nothing. */
export function loadVarsFile(file: string): VarsBlock {
  const document = readYaml(file);
  const { value, start } = document;
  if (value === null) return { values: new Map(), at: start };
  if (!isDict(value)) throw new UserError(document.problem(start, 'a file of variables is a dictionary'));
  return { values: value, at: start };
}
