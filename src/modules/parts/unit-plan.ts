import type { FactReader } from '../../facts/fact.ts';
import { query } from '../../facts/fact.ts';
import { unit, unitName } from '../../facts/unit.ts';
import { command, quote } from '../../lib/shell.ts';
import type { Plan } from '../../steps/plan.ts';
import type { UnitWish } from './systemd-arguments.ts';

/** systemctl for a scope, with the options that the task gives. */
export function systemctl(
  wish: Pick<UnitWish, 'scope' | 'noBlock' | 'force'>,
  ...words: readonly string[]
): string {
  return command([
    'systemctl',
    ...(wish.scope === 'system' ? [] : [`--${wish.scope}`]),
    ...(wish.noBlock ? ['--no-block'] : []),
    ...(wish.force ? ['--force'] : []),
    ...words,
  ]);
}

/** The first lines of each script that talks to systemd. */
export const SYSTEMD_PRELUDE = [
  'set -e',
  'export LC_ALL=C SYSTEMD_PAGER= XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/run/user/$(id -u)}"',
];

/**
 * Brings a unit to the state that is wished. systemd is told to read its files again whenever the unit's have changed
 * under it, since a run that was interrupted after it wrote them cannot have done that.
 */
export function planUnit(wish: UnitWish, facts: FactReader): Plan {
  const fact = facts.get(query(unit, { name: wish.name, scope: wish.scope }));
  const base = { name: wish.name };
  if (!fact.properties) {
    return {
      kind: 'failed',
      message: `systemd does not answer: ${fact.error ?? 'no reason given'}`,
      result: base,
    };
  }
  const status = fact.properties;
  const name = unitName(wish.name);
  const isMissing = status['LoadState'] === 'not-found' && (status['UnitFileState'] ?? '') === '';
  const isStale = status['NeedDaemonReload'] === 'yes';
  if (status['LoadState'] === 'error' || status['LoadState'] === 'bad-setting') {
    // It may be mended by reading the files again; then systemctl itself will tell.
    if (!isStale && !wish.daemonReload) {
      return {
        kind: 'failed',
        message: `Error loading unit file '${name}': ${status['LoadError'] ?? ''}`,
        result: base,
      };
    }
  }

  const before: Record<string, string> = {};
  const after: Record<string, string> = {};
  const lines: string[] = [];
  const isMasked = (status['UnitFileState'] ?? '').startsWith('masked') || status['LoadState'] === 'masked';
  if (wish.masked !== undefined && wish.masked !== isMasked) {
    before['masked'] = yesNo(isMasked);
    after['masked'] = yesNo(wish.masked);
    lines.push(systemctl(wish, wish.masked ? 'mask' : 'unmask', '--', name));
  }
  const needsUnit = wish.enabled !== undefined || wish.state !== undefined;
  // A unit that was written a moment ago is found once systemd has read its files.
  if (isMissing && needsUnit && !wish.daemonReload) {
    return {
      kind: 'failed',
      message: `Could not find the requested service ${wish.name}: host`,
      result: { ...base, status },
    };
  }
  const enabled = isEnabled(status['UnitFileState'] ?? '', wish.scope);
  if (wish.enabled !== undefined && enabled !== 'fixed' && (enabled === 'yes') !== wish.enabled) {
    before['enabled'] = yesNo(enabled === 'yes');
    after['enabled'] = yesNo(wish.enabled);
    lines.push(systemctl(wish, wish.enabled ? 'enable' : 'disable', '--', name));
  }
  const action = actionOf(wish.state, status['ActiveState'] ?? 'unknown');
  if (action) {
    before['state'] = status['ActiveState'] ?? 'unknown';
    after['state'] = { start: 'active', stop: 'inactive', restart: 'restarted', reload: 'reloaded' }[action];
    lines.push(startLine(wish, action, name));
  }

  const result = {
    ...base,
    status,
    ...(wish.enabled === undefined ? {} : { enabled: wish.enabled }),
    ...(wish.state === undefined ? {} : { state: wish.state === 'stopped' ? 'stopped' : 'started' }),
  };
  const reload = isStale
    ? wish.daemonReload || lines.length > 0
    : wish.daemonReload && (lines.length > 0 || isMissing);
  const reloadLines = [
    ...(wish.daemonReexec ? [systemctl({ ...wish, noBlock: false, force: false }, 'daemon-reexec')] : []),
    ...(reload && wish.scope !== 'global'
      ? [systemctl({ ...wish, noBlock: false, force: false }, 'daemon-reload')]
      : []),
  ];
  if (lines.length === 0 && reloadLines.length === 0) return { kind: 'unchanged', result };
  const verbs = Object.entries(after).map(([what, value]) => `${what} ${value}`);
  return {
    kind: 'change',
    diffs: lines.length === 0 ? [] : [{ subject: name, before: text(before), after: text(after) }],
    steps: [
      {
        kind: 'script',
        description: `${name}: ${verbs.length === 0 ? 'systemd reads its files again' : verbs.join(', ')}`,
        script: [...SYSTEMD_PRELUDE, ...reloadLines, ...lines].join('\n'),
      },
    ],
    result,
    // Reading files again is no change of the target, as Ansible counts.
    ...(lines.length === 0 ? { finish: () => ({ status: 'ok', changed: false, result }) as const } : {}),
  };
}

/** When a unit does not come up, its status and last log lines are worth more than systemctl's sentence. */
function startLine(wish: UnitWish, action: string, name: string): string {
  const line = systemctl(wish, action, '--', name);
  if (wish.noBlock || action === 'stop') return line;
  const scope = wish.scope === 'user' ? '--user ' : '';
  const word = quote(name);
  return [
    `${line} || { status=$?`,
    `systemctl ${scope}--no-pager --full --lines=20 status -- ${word} >&2 || :`,
    'exit "$status"; }',
  ].join('\n');
}

function actionOf(
  state: UnitWish['state'],
  active: string,
): 'start' | 'stop' | 'restart' | 'reload' | undefined {
  const isRunning =
    active === 'active' || active === 'activating' || active === 'reloading' || active === 'refreshing';
  switch (state) {
    case 'started':
      return isRunning ? undefined : 'start';
    case 'stopped':
      return isRunning || active === 'deactivating' ? 'stop' : undefined;
    case 'restarted':
      return isRunning ? 'restart' : 'start';
    case 'reloaded':
      return isRunning ? 'reload' : 'start';
    case undefined:
      return undefined;
  }
}

/**
 * Whether a unit is enabled, as `systemctl is-enabled` answers. `fixed` are those that cannot be enabled or disabled
 * because their files do not say what that would mean; they count as they are wished.
 */
function isEnabled(state: string, scope: UnitWish['scope']): 'yes' | 'no' | 'fixed' {
  switch (state) {
    case 'enabled':
    case 'enabled-runtime':
      return 'yes';
    case 'static':
    case 'transient':
      return 'fixed';
    case 'generated':
      // Made from an init script or a table of mounts: systemctl knows what to do with the former.
      return scope === 'system' ? 'fixed' : 'no';
    default:
      return 'no';
  }
}

function yesNo(value: boolean): string {
  return value ? 'yes' : 'no';
}

function text(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}: ${value}\n`)
    .join('');
}
