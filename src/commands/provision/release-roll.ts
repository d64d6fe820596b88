import { EXIT, UserError } from '../../lib/errors.ts';
import { selectHosts } from '../../inventory/select.ts';
import { listed } from '../../lib/listed.ts';
import type { Dict } from '../../lib/value.ts';
import { nameProblem } from '../../release/name.ts';
import { readReleaseFolder, type ReleaseFolder } from '../../release/folder.ts';
import {
  begun,
  type ChangeKind,
  finished,
  firstRecord,
  migrated,
  type Origin,
  pruned,
  releaseIn,
  type ReleaseRecord,
  withRelease,
} from '../../release/record.ts';
import { serves } from '../../release/servers.ts';
import { mustBeWhole } from '../../release/whole.ts';
import { rollJournal } from '../../site/roll/journal.ts';
import type { CommandContext } from '../context.ts';
import { operatorName } from '../failover/options.ts';
import type { AppSite, ServerAnswer } from './app-site.ts';
import type { ReleaseLine } from './release-json.ts';
import { rollWith } from './roll-command.ts';
import type { RollOptions } from './roll-options.ts';
import { begunBy, unfinished } from './roll-resume.ts';
import type { ReportMaker } from './run-load.ts';
import { playbookWork } from './roll-work.ts';
import { takeLock } from './run-lock.ts';

/** A release that all servers shall serve. */
export interface Target {
  readonly kind: ChangeKind;
  readonly name: string;
  /** Its files, when they are not kept yet. */
  readonly fresh?: { readonly folder: ReleaseFolder; readonly from: Origin } | undefined;
  /** The servers that it has to reach, a pattern. */
  readonly hosts: string;
}

/** Lets one server after the other serve a release, and notes it as the one that is served when the last one does. */
export async function rollRelease(
  site: AppSite,
  target: Target,
  options: RollOptions,
  context: CommandContext,
): Promise<void> {
  const { kind, name } = target;
  const purpose = `${kind} ${name}`;
  const records = rollJournal(site.inventory.directory).list();
  const variables: Dict = new Map<string, string | boolean>([
    ['app_source', site.store.pathOf(name)],
    ['app_release', name],
    ['app_file_mode', 'preserve'],
    // Once, before the first server; each server's own run is no occasion.
    ['app_migrate', false],
  ]);
  const before = site.store.record()?.current ?? site.settings.release;
  const work = {
    purpose,
    playbook: site.playbook,
    variables,
    hosts: target.hosts,
    takesOver: isRelease,
    sparesDatabases: true,
    before: async (makeReport: ReportMaker) => await prepare(site, target, variables, options, makeReport),
    after: async () => await conclude(site, target, before, options),
  };
  try {
    await rollWith(
      work,
      { ...options, resume: options.resume && unfinished(records, purpose) !== undefined },
      context,
    );
  } catch (error) {
    if (!(error instanceof UserError) || site.store.record()?.unfinished?.release !== name) throw error;
    const back = site.store.record()?.current ?? before;
    throw new UserError(
      [
        ...error.problems,
        {
          message: `release ${name} is not on all servers`,
          hint:
            back === name
              ? undefined
              : `\`provision rollback\` puts ${back} back; \`provision releases\` shows who serves what`,
        },
      ],
      { cause: error, exitCode: error.exitCode },
    );
  }
}

/** Notes a release that all servers serve already. */
export async function noteRelease(site: AppSite, target: Target, options: RollOptions): Promise<void> {
  const { inventory, store, settings } = site;
  const before = store.record()?.current ?? settings.release;
  const lock = takeLock(inventory.directory, `provision ${target.kind} ${target.name}`);
  try {
    note(site, target, options, await site.ask(site.servers));
    await conclude(site, target, before, options);
  } finally {
    lock.release();
  }
}

/** Servers on which a roll of a deploy or a rollback was cut off. */
export function begunServers(site: AppSite): ReadonlySet<string> {
  const begun = begunBy(rollJournal(site.inventory.directory).list());
  return new Set([...begun].filter(([, { purpose }]) => isRelease(purpose)).map(([host]) => host));
}

function isRelease(purpose: string): boolean {
  return /^(deploy|rollback) /.test(purpose);
}

/** Notes that a release is under way; a deploy also puts it beside the others on all servers, and migrates. */
async function prepare(
  site: AppSite,
  target: Target,
  variables: Dict,
  options: RollOptions,
  makeReport: ReportMaker,
): Promise<void> {
  const { kept, record } = note(site, target, options, await site.ask(site.servers));
  try {
    // Before a server is taken out of service for files that cannot serve.
    mustBeWhole(site.store, record, target.name, site.settings.entry);
    if (target.kind === 'rollback') return;
    const isMigrated = record.unfinished?.migrated ?? false;
    await runBefore(site, new Map([...variables, ['app_migrate', !isMigrated]]), options, makeReport);
  } catch (error) {
    // No server was switched: what holds is what held before.
    site.store.write(kept);
    throw error;
  }
  site.store.write(migrated(record));
}

/** Keeps the release, and notes that it is under way. */
function note(
  site: AppSite,
  { kind, name, fresh }: Target,
  { resume }: RollOptions,
  answers: ReadonlyMap<string, ServerAnswer>,
): { readonly kept: ReleaseRecord; readonly record: ReleaseRecord } {
  const known = site.store.record() ?? bundled(site);
  refuseUnknown(known, answers);
  const kept = fresh === undefined ? known : keep(site, known, name, fresh);
  const record = begun(kept, { kind, release: name, by: operatorName(), at: Date.now() }, resume);
  site.store.write(record);
  return { kept, record };
}

/** The release that came with the playbooks, which the first deploy replaces, as the first one that is kept. */
function bundled(site: AppSite): ReleaseRecord {
  const { source, release, entry } = site.settings;
  const folder = readReleaseFolder(source, entry);
  site.store.keep(release, folder);
  return firstRecord({
    name: release,
    digest: folder.digest,
    from: { kind: 'site' },
    by: operatorName(),
    at: Date.now(),
    before: null,
  });
}

function keep(
  { store }: AppSite,
  record: ReleaseRecord,
  name: string,
  { folder, from }: NonNullable<Target['fresh']>,
): ReleaseRecord {
  const known = releaseIn(record, name);
  if (known !== undefined && known.digest !== folder.digest) {
    throw new UserError({
      message: `the name ${name} is in use: a release with other files has it, made by ${known.by}`,
      hint: 'give it another name: --release NAME',
    });
  }
  store.keep(name, folder);
  if (known !== undefined) return record;
  const { digest } = folder;
  return withRelease(record, { name, digest, from, by: operatorName(), at: Date.now(), before: null });
}

/** Who deploys from another machine has another record: what it knows of must not be replaced by what this one knows. */
function refuseUnknown(record: ReleaseRecord, answers: ReadonlyMap<string, ServerAnswer>): void {
  // A server that was away for long may still have one that is not kept any more.
  const known = new Set([
    ...record.releases.map(({ name }) => name),
    ...record.history.map(({ release }) => release),
  ]);
  const unknown = [...answers].flatMap(([host, answer]) => {
    const current = answer.kind === 'answering' ? answer.releases.current : undefined;
    return current === undefined || known.has(current) ? [] : [{ host, current }];
  });
  const [first] = unknown;
  if (first === undefined) return;
  throw new UserError(
    {
      message: unknown
        .map(({ host, current }) => `${host} serves release ${current}, which is not kept here`)
        .join('\n'),
      hint: `bring the folder app/ of the inventory here from where ${first.current} was deployed; or give it up: \`provision up -e app_give_up=true\` puts ${record.current ?? ''} onto all servers`,
    },
    { exitCode: EXIT.failed },
  );
}

async function runBefore(
  site: AppSite,
  variables: Dict,
  options: RollOptions,
  makeReport: ReportMaker,
): Promise<void> {
  const { hosts } = selectHosts(site.inventory, site.servers.join(','), options.hosts);
  const work = await playbookWork(
    { purpose: 'upload', playbook: site.playbook, variables, hosts: 'servers', tags: ['upload', 'migrate'] },
    options,
  );
  try {
    const failures = await work.work(hosts, makeReport);
    if (failures.size === 0) return;
    throw new UserError(
      [...failures].map(([host, message]) => ({ message: `${host}: ${message}` })),
      { exitCode: EXIT.failed },
    );
  } finally {
    await work.close();
  }
}

/** Notes what is served, when every server that answers serves it, and tells so. */
async function conclude(site: AppSite, target: Target, before: string, options: RollOptions): Promise<void> {
  const { store } = site;
  const { kind, name } = target;
  const record = store.record();
  if (record === undefined) throw new Error('a record is written before anything is rolled');
  const answers = await site.ask(site.servers);
  const text = options.json ? process.stderr : process.stdout;
  const others: string[] = [];
  let isServed = false;
  for (const [host, answer] of answers) {
    if (answer.kind === 'silent')
      text.write(`${host} does not answer (${answer.why}): \`provision up\` when it does\n`);
    else if (serves(answer.releases, name)) isServed = true;
    else others.push(host);
  }
  // What nobody says is not known.
  const isDone = isServed && others.length === 0;
  if (isDone) {
    const { record: after, forgotten } = pruned(finished(record, Date.now()), site.settings.releasesKept);
    store.write(after);
    store.forget(forgotten);
    text.write(
      `release ${name} is served${after.previous === null ? '' : `; \`provision rollback\` goes back to ${after.previous}`}\n`,
    );
  } else {
    process.exitCode ??= EXIT.failed;
    text.write(
      `release ${name} is not known to be on ${isServed ? listed(others) : 'any server'}, and ${before} counts as the one that is served: \`provision deploy ${name}\` goes on, \`provision rollback\` goes back\n`,
    );
  }
  if (!options.json) return;
  const line: ReleaseLine = {
    type: 'release',
    kind,
    release: name,
    before: before === name ? null : before,
    done: isDone,
    servers: [...answers].map(([host, answer]) => ({
      name: host,
      serves: answer.kind === 'answering' ? (answer.releases.runs ?? null) : null,
    })),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Rejects a name that no folder on a server can have. */
export function mustBeName(name: string): string {
  const problem = nameProblem(name);
  if (problem !== undefined) throw new UserError(problem);
  return name;
}
