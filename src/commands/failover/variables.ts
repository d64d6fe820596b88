import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Inventory } from '../../inventory/inventory.ts';
import type { SourceLocation } from '../../lib/errors.ts';
import type { SecretRegistry } from '../../lib/secret.ts';
import { type Dict, isDict } from '../../lib/value.ts';
import { readYaml } from '../../lib/yaml.ts';
import type { RoleContext, VarsBlock } from '../../playbook/ast.ts';
import { knownSite } from '../../variables/known-site.ts';
import type { CommandView } from '../../variables/magic.ts';
import type { Scope } from '../../variables/scope.ts';

/** The roles whose defaults say what an instance and a balancer are when the inventory does not. */
export const ROLES = ['mysql', 'haproxy', 'failover_agent', 'etcd', 'failover_watch', 'valkey'];

export interface VariablesOptions {
  readonly inventory: Inventory;
  /** Where site.yml is, with its group_vars/ and roles/. */
  readonly playbookDirectory: string;
  readonly extraVars: Dict;
  readonly secrets: SecretRegistry;
  readonly command?: Partial<CommandView> | undefined;
  /** Whose defaults count; those of the roles that make a cluster without it. */
  readonly roles?: readonly string[] | undefined;
}

/** The variables of all hosts as the site's playbook knows them; nothing is made, and nothing is written. */
export interface SiteVariables {
  readonly of: (host: string) => Scope;
  /** Where a host's variable is written, as far as it can be found. */
  placeOf(host: string, variable: string): SourceLocation | undefined;
}

export function siteVariables(options: VariablesOptions): SiteVariables {
  const { inventory, playbookDirectory, extraVars, secrets, command, roles = ROLES } = options;
  const { variablesOf, layersOf } = knownSite({
    inventory,
    playbookDirectory,
    extraVars,
    secrets,
    command,
    play: { roles: roles.map((role) => roleOf(playbookDirectory, role)) },
  });
  return {
    of: variablesOf,
    placeOf(host, variable) {
      const layer = layersOf(host).findLast((each) => each.values.has(variable));
      if (!layer) return undefined;
      return placeIn(layer.source, variable, host) ?? layer.at;
    },
  };
}

/** The key's own line: in a file with several hosts, the first after the host's name. */
function placeIn(file: string, variable: string, host: string): SourceLocation | undefined {
  let lines: readonly string[];
  try {
    lines = readFileSync(file, 'utf8').split('\n');
  } catch {
    return undefined;
  }
  const find = (key: string, from: number): SourceLocation | undefined => {
    for (let index = from; index < lines.length; index++) {
      const match = new RegExp(`^(.*?)(?:^|[\\s{,])${key.replaceAll(/[^\w]/g, '\\$&')}\\s*[:=]`).exec(
        lines[index] ?? '',
      );
      if (match) return { file, line: index + 1, column: (lines[index] ?? '').indexOf(key) + 1 };
    }
    return undefined;
  };
  const own = find(host, 0);
  return (own && find(variable, own.line)) ?? find(variable, 0);
}

function roleOf(playbookDirectory: string, name: string): RoleContext {
  const directory = join(playbookDirectory, 'roles', name);
  const blocks = (kind: string): readonly VarsBlock[] => {
    const file = join(directory, kind, 'main.yml');
    if (!existsSync(file)) return [];
    const document = readYaml(file);
    return isDict(document.value) ? [{ values: document.value, at: document.start }] : [];
  };
  return {
    name,
    directory,
    defaults: blocks('defaults'),
    vars: blocks('vars'),
    entryVars: [],
    params: [],
  };
}
