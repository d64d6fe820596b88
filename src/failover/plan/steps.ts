import type { HookName } from '../cluster/hook-name.ts';
import type { Action, Stage, Step } from './action.ts';
import type { FailoverSettings } from '../cluster/cluster.ts';
import type { Answering } from '../cluster/topology.ts';

type Extra = Partial<Omit<Step, 'action' | 'limitMs'>>;

/** Hooks are the operators' own programs. */
const HOOK_LIMIT_MS = 30_000;
/** Stopping a server over SSH, or asking a power switch. */
const FENCE_LIMIT_MS = 10_000;
/**
 * A receiver that is just greeting a host that hangs ends only when its own time limit does (replica_net_timeout). STOP
 * REPLICA waits for that, in both flavours.
 */
const RECEIVER_LIMIT_MS = 10_000;
/**
 * InnoDB recovers before the server answers. The limit is as long as the script on the machine waits for that, and a
 * little more.
 */
const UNFENCE_LIMIT_MS = 320_000;
/** Receivers in one LAN connect within a second; their connect retry is a second, too. */
const ACKERS_LIMIT_MS = 5000;

/** Each balancer has a shorter limit of its own; moving an address begins with a login by SSH. */
const BALANCERS_LIMIT_MS = 6000;

/** HAProxy's script does not hold writers for longer (`writers.lua`); after that time it refuses them. */
const LONGEST_HOLD_MS = 60_000;

/** New writer sessions wait instead of being refused. */
export function holdWriters(
  settings: FailoverSettings,
  ms: number,
  { to, ...extra }: Extra & { readonly to?: Answering } = {},
): Step {
  const action = {
    do: 'hold-writers',
    ms: Math.min(ms, LONGEST_HOLD_MS),
    ...(to === undefined ? {} : { for: to.spec.name }),
  } as const;
  return step(settings, action, { undo: [{ do: 'release-writers' }], ...extra });
}

/** Makes the steps of a plan, and has the time limit of each kind of action in one place. */
export function step(settings: FailoverSettings, action: Action, extra: Extra = {}): Step {
  return { name: action.do, action, limitMs: limitOf(settings, action), ...extra };
}

/** Lets the instance take writes, provided that it is still the server process that was looked at. */
export function makeWritable({ spec, state }: Answering): Action {
  return { do: 'make-writable', instance: spec.name, startedAt: state.startedAt };
}

/** The step that runs the operators' hook for this moment, when there is one. */
export function hookStage(settings: FailoverSettings, hook: HookName, extra: Extra = {}): readonly Stage[] {
  if (settings.hooks[hook] === undefined) return [];
  return [[step(settings, { do: 'hook', hook }, { name: `hook-${hook}`, ...extra })]];
}

/** What it has received is applied, and it goes on when the change is taken back. */
export function stopReplica(settings: FailoverSettings, name: string): Step {
  return step(
    settings,
    { do: 'stop-replica', instance: name },
    { undo: [{ do: 'start-replica', instance: name }] },
  );
}

/** Runs several sequences side by side: the first stages of all of them, then the second ones, and so on. */
export function sideBySide(...sequences: readonly (readonly Stage[])[]): readonly Stage[] {
  const length = Math.max(0, ...sequences.map((sequence) => sequence.length));
  return Array.from({ length }, (_, index) => sequences.flatMap((sequence) => sequence[index] ?? []));
}

/** The stages without the empty ones. */
export function compact(stages: readonly Stage[]): readonly Stage[] {
  return stages.filter((stage) => stage.length > 0);
}

function limitOf(settings: FailoverSettings, action: Action): number {
  switch (action.do) {
    case 'make-read-only':
      return settings.switchoverTimeoutMs;
    case 'catch-up':
    case 'apply-backlog':
    case 'apply-log':
    case 'await-received':
      return settings.catchUpTimeoutMs;
    case 'await-ackers':
    case 'prove':
      return ACKERS_LIMIT_MS;
    case 'stop-receiver':
    case 'stop-replica':
    case 'follow':
    case 'forget-source':
      return Math.max(settings.queryTimeoutMs, RECEIVER_LIMIT_MS);
    case 'fence':
      return FENCE_LIMIT_MS;
    case 'unfence':
      return UNFENCE_LIMIT_MS;
    case 'hook':
      return HOOK_LIMIT_MS;
    case 'clone':
      return 24 * 3_600_000;
    case 'end-sessions':
    case 'end-prepared':
    case 'run-sql':
    case 'inject-empty':
    case 'enable-events':
      return Math.max(settings.queryTimeoutMs, settings.switchoverTimeoutMs);
    case 'hold-writers':
    case 'release-writers':
    case 'end-writers':
    case 'point-writers':
      return Math.max(settings.queryTimeoutMs, BALANCERS_LIMIT_MS);
    case 'confirm-stopped':
    case 'start-receiver':
    case 'start-applier':
    case 'stop-applier':
    case 'start-replica':
    case 'persist-read-only':
    case 'make-writable':
    case 'end-clients':
    case 'semi-sync-source':
    case 'semi-sync-replica':
      return Math.max(settings.queryTimeoutMs, 2000);
  }
}
