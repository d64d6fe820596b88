import { EXIT, UserError } from '../../lib/errors.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import { selectHosts } from '../../inventory/select.ts';
import { executeRoll, type RollResult } from '../../site/roll/execute.ts';
import { rollJournal } from '../../site/roll/journal.ts';
import { type RollWish, timetable } from '../../site/roll/next.ts';
import { objections, obstacles } from '../../site/roll/objections.ts';
import {
  recorded,
  type RollEvent,
  type RollRecord,
  type RollSettings,
  stateOf,
} from '../../site/roll/record.ts';
import type { RollSurvey } from '../../site/roll/survey.ts';
import type { CommandContext } from '../context.ts';
import { operatorName } from '../failover/options.ts';
import { confirm } from './confirm.ts';
import type { RollOptions } from './roll-options.ts';
import { rollPorts } from './roll-ports.ts';
import { abandoned, leftOut, resumable } from './roll-resume.ts';
import { resumeCommand, settingsOf } from './roll-settings.ts';
import { firstSurvey } from './roll-survey.ts';
import { rollShow } from './roll-show.ts';
import { type PreparedWork, playbookWork, type RollWork } from './roll-work.ts';
import { takeLock } from './run-lock.ts';
import { type WholeSite, withWholeSite } from './site-session.ts';

/** Rolls the work over the hosts: out of service, worked on, back, one batch after the other. */
export async function rollWith(work: RollWork, options: RollOptions, context: CommandContext): Promise<void> {
  // Before anything else: what is wrong with the playbook must not be found with the first host out of service.
  const prepared = await playbookWork(work, options);
  try {
    await withWholeSite(options, async (site) => {
      const lock = options.dryRun ? undefined : takeLock(site.directory, `provision ${work.purpose}`);
      try {
        await rollOver(site, work, prepared, options, context.signal);
      } finally {
        lock?.release();
      }
    });
  } finally {
    await prepared.close();
  }
}

async function rollOver(
  site: WholeSite,
  work: RollWork,
  prepared: PreparedWork,
  options: RollOptions,
  signal: AbortSignal,
): Promise<void> {
  const journal = rollJournal(site.directory);
  const touched = work.sparesDatabases ? { ...site, databases: [] } : site;
  const survey = await firstSurvey(touched);
  const begun = beginning(work, options, { records: journal.list(), survey, prepared });
  const { wish, from, settings } = begun;
  const batches = timetable(survey, wish, from);
  const [first] = batches;
  const never = obstacles(survey, batches, wish, settings.drainTimeoutMs);
  // Before the hosts that could go have gone.
  if (never.length > 0 && !options.dryRun) throw new UserError(never, { exitCode: EXIT.failed });
  const show = await rollShow(site, options);
  let result: RollResult;
  try {
    show.timetable(
      survey,
      batches,
      wish,
      options.dryRun && first ? [...objections(survey, first, wish, from.begun), ...never] : [],
    );
    if (options.dryRun) return;
    if (first === undefined) {
      await work.after?.();
      return;
    }
    if (!options.yes) await confirm(`${work.purpose} on ${wish.hosts.length} hosts?`, signal);
    await work.before?.(show.work);
    await show.begin();
    let { record } = begun;
    const ports = rollPorts(touched, {
      ...settings,
      purpose: work.purpose,
      work: async (hosts) => await prepared.work(hosts, show.work),
    });
    result = await executeRoll(wish, ports, {
      ...settings,
      settings,
      id: record?.id ?? idOf(work.purpose),
      purpose: work.purpose,
      who: operatorName(),
      from,
      signal,
      emit: async (event) => {
        const clean = withoutSecrets(event, show.redact);
        record = recorded(record, clean);
        // Kept before anything is done: whoever goes on after a crash must not take less for begun than was.
        journal.write(record);
        show.event(clean, record);
      },
    });
    if (result.outcome === 'done') await work.after?.();
    await show.report();
  } finally {
    await show.close();
  }
  if (result.outcome === 'done') return;
  const hint = `go on with: ${resumeCommand({ purpose: work.purpose, settings }, options.inventory)}`;
  if (result.outcome === 'interrupted') {
    process.stderr.write(`${hint}\n`);
    process.exitCode = EXIT.interrupted;
    return;
  }
  throw new UserError([...result.problems, { message: 'the roll has stopped', hint }], {
    exitCode: EXIT.failed,
  });
}

/** What is kept in the journal. */
function withoutSecrets(event: RollEvent, redact: (text: string) => string): RollEvent {
  return 'message' in event && event.message !== undefined
    ? { ...event, message: redact(event.message) }
    : event;
}

interface Beginning {
  readonly wish: RollWish;
  readonly from: ReturnType<typeof stateOf>;
  readonly settings: RollSettings;
  /** The roll that this goes on with. */
  readonly record: RollRecord | undefined;
}

interface Situation {
  /** All rolls that are kept, the newest first. */
  readonly records: readonly RollRecord[];
  readonly survey: RollSurvey;
  readonly prepared: PreparedWork;
}

function beginning(work: RollWork, options: RollOptions, situation: Situation): Beginning {
  const { records, survey, prepared } = situation;
  const howTo = (one: RollRecord): string => resumeCommand(one, options.inventory);
  const record = options.resume ? resumable(records, work.purpose, howTo) : undefined;
  const settings = settingsOf(options, record);
  const { serial, minAvailable } = settings;
  const hosts = record?.hosts.map(({ name }) => name) ?? hostsOf(prepared.inventory, work, options);
  const left = [...abandoned(records, survey)].filter(([host, by]) => by !== record && hosts.includes(host));
  const others = left.filter(([, { purpose }]) => work.takesOver?.(purpose) !== true);
  if (others.length > 0) {
    const balancers = new Set(survey.balancers.map(({ host }) => host));
    throw leftOut(new Map(others), records, balancers, howTo);
  }
  return {
    wish: { hosts, serial, minAvailable },
    from:
      record === undefined
        ? { done: new Set(), begun: new Set(left.map(([host]) => host)), worked: new Set() }
        : stateOf(record),
    settings,
    record,
  };
}

function hostsOf(inventory: Inventory, work: RollWork, options: RollOptions): readonly string[] {
  const { hosts } = selectHosts(inventory, work.hosts, options.hosts);
  if (hosts.length > 0) return hosts;
  throw new UserError({ message: `no host of ${work.hosts} matches "${options.hosts ?? ''}"` });
}

/** By its time and what it is, so that the files are in order. */
function idOf(purpose: string): string {
  const time = new Date()
    .toISOString()
    .replaceAll(/[-:]/g, '')
    .replace(/\.\d+Z$/, '');
  return `${time}-${purpose.split(' ')[0] ?? 'roll'}`;
}
