import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';

import type { Inventory } from '../../inventory/inventory.ts';
import { selectHosts } from '../../inventory/select.ts';
import { hostLayers, loadVarsDirectories } from '../../inventory/variables.ts';
import { type SourceLocation, UserError } from '../../lib/errors.ts';
import { LazyDict } from '../../lib/lazy-dict.ts';
import type { SecretRegistry } from '../../lib/secret.ts';
import { type Dict, isDict, type Value } from '../../lib/value.ts';
import { readYaml } from '../../lib/yaml.ts';
import { type Layer, Scope } from '../../variables/scope.ts';
import { lookUp } from '../../run/lookups.ts';
import type { TemplateEnvironment } from '../../template/environment.ts';
import { renderTemplate } from '../../template/render.ts';

/** The roles whose defaults say what an instance and a balancer are when the inventory does not. */
const ROLES = ['mysql', 'haproxy', 'failover_agent', 'etcd', 'failover_watch'];

export interface VariablesOptions {
  readonly inventory: Inventory;
  /** Where site.yml is, with its group_vars/ and roles/. */
  readonly playbookDirectory: string;
  readonly extraVars: Dict;
  readonly secrets: SecretRegistry;
}

/** The variables of all hosts as the site's playbook knows them; nothing is made, and nothing is written. */
export interface SiteVariables {
  of(host: string): Scope;
  /** Where a host's variable is written, as far as it can be found. */
  placeOf(host: string, variable: string): SourceLocation | undefined;
}

export function siteVariables(options: VariablesOptions): SiteVariables {
  const { inventory, playbookDirectory, extraVars, secrets } = options;
  const playbookVars = loadVarsDirectories(playbookDirectory);
  const defaults = ROLES.flatMap((role) =>
    ['defaults', 'vars'].flatMap((kind) => roleLayer(playbookDirectory, role, kind)),
  );
  const scopes = new Map<string, Scope>();

  const of = (host: string): Scope => {
    let scope = scopes.get(host);
    if (!scope) {
      scope = make(host);
      scopes.set(host, scope);
    }
    return scope;
  };

  const make = (host: string): Scope => {
    const environment: TemplateEnvironment = {
      secrets,
      lookup: (name, terms, lookupOptions) => {
        if (/(^|\.)password$/.test(name))
          for (const term of terms) mustExist(String(term), playbookDirectory);
        return lookUp(name, terms, lookupOptions, {
          playbookDirectory,
          role: undefined,
          variables: scope,
          secrets,
          ahead: false,
          hostsOf: (pattern) => selectHosts(inventory, pattern, undefined).hosts,
          renderTemplate: (source, file) =>
            renderTemplate(source, scope, environment, { origin: { file, line: 1, column: 1 } }),
        });
      },
    };
    const magic = new Map<Value, Value>([
      ['inventory_hostname', host],
      ['inventory_hostname_short', host.split('.')[0] ?? host],
      ['inventory_dir', inventory.directory],
      ['inventory_file', inventory.file],
      ['playbook_dir', playbookDirectory],
      ['groups', new Map<Value, Value>([...inventory.groups].map(([name, hosts]) => [name, hosts]))],
      ['group_names', (inventory.hosts.get(host)?.groups ?? []).filter((group) => group !== 'all')],
      [
        'hostvars',
        new LazyDict(
          () => inventory.hosts.keys(),
          (name) =>
            inventory.hosts.has(name)
              ? new LazyDict(
                  () => of(name).names(),
                  (variable) => of(name).get(variable),
                )
              : undefined,
        ),
      ],
    ]);
    const scope: Scope = new Scope(
      [
        { values: extraVars, written: true },
        { values: magic, written: false },
        ...layersOf(host)
          .map((layer): Layer => ({ values: layer.values, written: true, at: layer.at }))
          .reverse(),
        ...defaults,
      ],
      environment,
    );
    return scope;
  };
  const layersOf = (host: string) => hostLayers(inventory, playbookVars, host);

  return {
    of,
    placeOf(host, variable) {
      const layer = [...layersOf(host)].reverse().find((each) => each.values.has(variable));
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

function roleLayer(playbookDirectory: string, role: string, kind: string): Layer[] {
  const file = join(playbookDirectory, 'roles', role, kind, 'main.yml');
  if (!existsSync(file)) return [];
  const document = readYaml(file);
  return isDict(document.value) ? [{ values: document.value, written: true, at: document.start }] : [];
}

/** The lookup would make a new password, which no server knows. */
function mustExist(term: string, playbookDirectory: string): void {
  const [path = ''] = term.split(' ');
  const file = isAbsolute(path) ? path : resolve(playbookDirectory, path);
  if (existsSync(file)) return;
  throw new UserError({
    message: `there is no password in ${file}`,
    hint: '`provision up` makes it; run it with this inventory first',
  });
}
