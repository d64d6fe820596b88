import { EXIT, UserError } from '../../lib/errors.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import { selectHosts } from '../../inventory/select.ts';
import { executeRoll, type RollResult } from '../../site/roll/execute.ts';
import { rollJournal } from '../../site/roll/journal.ts';
import { type RollWish, timetable } from '../../site/roll/next.ts';
import { objections } from '../../site/roll/objections.ts';
import { recorded, type RollEvent, type RollRecord, stateOf } from '../../site/roll/record.ts';
import type { RollSurvey } from '../../site/roll/survey.ts';
import type { CommandContext } from '../context.ts';
import { operatorName } from '../failover/options.ts';
import { confirm } from './confirm.ts';
import type { RollOptions } from './roll-options.ts';
import { rollPorts } from './roll-ports.ts';
import { abandoned, lastUnfinished, leftOut, resumable } from './roll-resume.ts';
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
  const begun = beginning(work, options, { last: lastUnfinished(journal), survey, prepared });
  const { wish, from } = begun;
  const batches = timetable(survey, wish, from);
  const [first] = batches;
  const show = await rollShow(site, options);
  let result: RollResult;
  try {
    show.timetable(
      survey,
      batches,
      wish,
      options.dryRun && first ? objections(survey, first, wish, from.begun) : [],
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
      ...options,
      purpose: work.purpose,
      work: async (hosts) => await prepared.work(hosts, show.work),
    });
    result = await executeRoll(wish, ports, {
      ...options,
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
  const hint = `go on with: provision ${work.purpose} --resume`;
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
  /** The roll that this goes on with. */
  readonly record: RollRecord | undefined;
}

function beginning(
  work: RollWork,
  options: RollOptions,
  {
    last,
    survey,
    prepared,
  }: { readonly last: RollRecord | undefined; readonly survey: RollSurvey; readonly prepared: PreparedWork },
): Beginning {
  const { serial, minAvailable } = options;
  if (options.resume) {
    const record = resumable(last, work.purpose);
    return {
      wish: { hosts: record.hosts.map(({ name }) => name), serial, minAvailable },
      from: stateOf(record),
      record,
    };
  }
  const hosts = hostsOf(prepared.inventory, work, options);
  const left = last === undefined ? [] : abandoned(last, survey).filter((host) => hosts.includes(host));
  if (last !== undefined && left.length > 0 && !work.takesOver) throw leftOut(last, left);
  return {
    wish: { hosts, serial, minAvailable },
    from: { done: new Set(), begun: new Set(left), worked: new Set() },
    record: undefined,
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
