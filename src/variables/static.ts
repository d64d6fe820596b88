import { SecretRegistry } from '../lib/secret.ts';
import type { Dict } from '../lib/value.ts';
import type { Text, VarsBlock } from '../playbook/ast.ts';
import { Scope } from './scope.ts';

/**
 * Renders the text of a static import, whose file must be known before any host is. Only the command line's and the
 * playbook's own variables can stand in it, as in Ansible.
 */
export function renderStatic(extraVars: Dict): (text: Text, vars: readonly VarsBlock[]) => string {
  return (text, vars) => {
    const layers = [
      { values: extraVars, written: true },
      ...vars.map((block) => ({ values: block.values, written: true, at: block.at })).reverse(),
    ];
    return new Scope(layers, () => ({ secrets: new SecretRegistry() })).renderText(text.text, text.at);
  };
}
