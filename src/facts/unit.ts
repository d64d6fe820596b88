import { quote } from '../lib/shell.ts';
import type { FactKind } from './fact.ts';
import { FieldReader, subshell } from './script.ts';

export type UnitScope = 'system' | 'user' | 'global';

export interface UnitKey {
  readonly name: string;
  readonly scope?: UnitScope | undefined;
}

export interface UnitFact {
  /** What `systemctl show` says; undefined when systemd does not answer. */
  readonly properties: Readonly<Record<string, string>> | undefined;
  /** Why it does not, in its own words. */
  readonly error?: string | undefined;
}

const PROPERTIES = [
  'Id',
  'Names',
  'Description',
  'LoadState',
  'LoadError',
  'ActiveState',
  'SubState',
  'UnitFileState',
  'UnitFilePreset',
  'FragmentPath',
  'DropInPaths',
  'NeedDaemonReload',
  'Result',
  'Type',
  'MainPID',
  'ExecMainStatus',
  'ActiveEnterTimestamp',
  'CanReload',
  'CanStart',
  'CanStop',
  'ControlGroup',
  'Environment',
  'ExecStart',
  'Group',
  'LimitNOFILE',
  'Restart',
  'User',
  'WorkingDirectory',
];

/** A unit's state as systemd sees it. A name without a suffix is a service. */
export const unit: FactKind<UnitKey, UnitFact> = {
  name: 'unit',
  scope: 'host',
  id: (key) => `${unitName(key.name)}${key.scope && key.scope !== 'system' ? ` of ${key.scope}` : ''}`,
  script: (keys) =>
    subshell([
      'export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/run/user/$(id -u)}"',
      ...scopes(keys).map(([scope, names]) => {
        // There is no manager to ask for what is enabled for all users; only the files tell.
        if (scope === 'global') {
          return names
            .map((name) => `systemctl --global is-enabled -- ${quote(name)} 2>&1; printf '\\0'`)
            .join('; ');
        }
        const option = scope === 'user' ? ' --user' : '';
        return `systemctl${option} show --no-pager -p ${PROPERTIES.join(',')} -- ${names.map(quote).join(' ')} 2>&1; printf '\\0%s\\0' "$?"`;
      }),
    ]),
  parse(stdout, keys) {
    const reader = new FieldReader('unit', stdout);
    const found = new Map<string, UnitFact>();
    for (const [scope, names] of scopes(keys)) {
      if (scope === 'global') {
        for (const name of names) found.set(`${scope} ${name}`, globalFact(reader.next().trim()));
        continue;
      }
      const output = reader.next();
      const status = reader.next();
      const blocks = output.split('\n\n');
      names.forEach((name, index) => {
        const properties = parseProperties(blocks[index] ?? '');
        const fact: UnitFact =
          'LoadState' in properties
            ? { properties }
            : { properties: undefined, error: status === '0' ? `no answer for ${name}` : output.trim() };
        found.set(`${scope} ${name}`, fact);
      });
    }
    return keys.map((key) => {
      const fact = found.get(`${key.scope ?? 'system'} ${unitName(key.name)}`);
      if (!fact) throw new Error(`the unit fact script said nothing of ${key.name}`);
      return fact;
    });
  },
};

/** The full name of a unit: `nginx` is `nginx.service`. */
export function unitName(name: string): string {
  return /\.(service|socket|device|mount|automount|swap|target|path|timer|slice|scope)$/.test(name)
    ? name
    : `${name}.service`;
}

function scopes(keys: readonly UnitKey[]): [UnitScope, string[]][] {
  const groups = new Map<UnitScope, string[]>();
  for (const key of keys) {
    const scope = key.scope ?? 'system';
    groups.set(scope, [...(groups.get(scope) ?? []), unitName(key.name)]);
  }
  return [...groups];
}

function parseProperties(block: string): Record<string, string> {
  const result: Record<string, string> = {};
  for (const line of block.split('\n')) {
    const at = line.indexOf('=');
    const name = line.slice(0, at);
    if (at > 0 && PROPERTIES.includes(name)) result[name] = line.slice(at + 1);
  }
  return result;
}

function globalFact(word: string): UnitFact {
  const isKnown = /^[a-z-]+$/.test(word) && word !== 'not-found';
  return {
    properties: { LoadState: isKnown ? 'loaded' : 'not-found', UnitFileState: isKnown ? word : '' },
  };
}
