import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

import type { Inventory } from '../inventory/inventory.ts';
import { selectHosts } from '../inventory/select.ts';
import { UserError } from '../lib/errors.ts';
import type { SecretRegistry } from '../lib/secret.ts';
import { openedText } from '../lib/vault.ts';
import type { Value } from '../lib/value.ts';
import type { RoleContext } from '../playbook/ast.ts';
import type { TemplateEnvironment, VariableSource } from '../template/environment.ts';
import { renderTemplate } from '../template/render.ts';
import { lookUp } from './lookups.ts';
import { searchPath } from './search-path.ts';

/** What templates may reach of this machine, whoever has them rendered. */
export interface Reachable {
  readonly playbookDirectory: string;
  readonly secrets: SecretRegistry;
  /** The inventory as it is now: groups may have been added to it. */
  inventory(): Inventory;
  /** True while nothing may have an effect. */
  readonly readingAhead?: boolean;
  /** Called before a lookup is answered; refuses it by throwing. */
  readonly beforeLookup?: ((name: string, terms: readonly Value[]) => void) | undefined;
}

/** The template engine's view of this machine: lookups, includes, secrets. */
export function environmentFor(
  reachable: Reachable,
  role: RoleContext | undefined,
  variables: VariableSource,
): TemplateEnvironment {
  const { playbookDirectory, secrets } = reachable;
  const environment: TemplateEnvironment = {
    secrets,
    lookup(name, terms, options) {
      reachable.beforeLookup?.(name, terms);
      return lookUp(name, terms, options, {
        playbookDirectory,
        role,
        variables,
        secrets,
        ahead: reachable.readingAhead ?? false,
        hostsOf: (pattern) => selectHosts(reachable.inventory(), pattern, undefined).hosts,
        renderTemplate: (source, file) =>
          renderTemplate(source, variables, environment, { origin: { file, line: 1, column: 1 } }),
      });
    },
    loadTemplate(name, base) {
      const beside =
        base === undefined ? [] : [resolve(dirname(base), 'templates', name), resolve(dirname(base), name)];
      for (const file of [...searchPath(name, 'templates', playbookDirectory, role), ...beside]) {
        try {
          return { source: openedText(readFileSync(file, 'utf8'), file), file };
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
        }
      }
      throw new UserError(`there is no template "${name}"`);
    },
  };
  return environment;
}
