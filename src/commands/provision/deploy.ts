import { statSync } from 'node:fs';
import { resolve } from 'node:path';

import { Command } from 'commander';

import { UserError } from '../../lib/errors.ts';
import { withBuild } from '../../release/build.ts';
import { readReleaseFolder } from '../../release/folder.ts';
import { type Commit, findCommit, refProblem } from '../../release/git.ts';
import { nameProblem } from '../../release/name.ts';
import { releaseIn, type Release } from '../../release/record.ts';
import { readIfThere } from '../../lib/durable.ts';
import type { CommandContext } from '../context.ts';
import { type AppSite, appSite } from './app-site.ts';
import { addExamples } from './options.ts';
import { mustBeName, rollRelease, type Target } from './release-roll.ts';
import { addRollOptions, rollOptions, type RollOptions } from './roll-options.ts';

/** `provision deploy`: a release of the app onto all servers, one after the other, each out of service meanwhile. */
export function deployCommand(context: CommandContext): Command {
  const command = new Command('deploy')
    .description('put a release of the app onto the servers, one after the other, without a failed request')
    .argument('[what]', 'a git ref, a folder with a built release, or the name of a kept release')
    .option('--release <name>', 'its name (default: the commit, or a hash of the folder)');
  addExamples(addRollOptions(command), [
    ['provision deploy v1.4', 'the tag of the repository in this folder: exported, built, deployed'],
    ['provision deploy ./build --release 1.4', 'a folder that is built already'],
    ['provision deploy v1.4 --dry-run', 'which server goes when'],
    ['provision deploy --resume', 'go on where the last one stopped'],
  ]).addHelpText(
    'after',
    '\nExit codes: 0 every server serves it, 1 there is no such release or it cannot be one, 2 it was not built, the database was not migrated, or a server was not ready and the deploy has stopped, 4 a balancer cannot be reached, 130 interrupted when the server that was worked on was done.',
  );
  return command.action(async (what: string | undefined) => {
    const { release } = command.opts<{ readonly release?: string }>();
    const options = rollOptions(command);
    const site = appSite(options);
    await withTarget(
      site,
      { what, release },
      options,
      context,
      async (target) => await rollRelease(site, target, options, context),
    );
  });
}

interface Wish {
  readonly what: string | undefined;
  readonly release: string | undefined;
}

/** Finds or makes the release that is meant. What was made for it is gone afterwards. */
async function withTarget(
  site: AppSite,
  { what, release }: Wish,
  options: RollOptions,
  { signal }: CommandContext,
  use: (target: Target) => Promise<void>,
): Promise<void> {
  const name = release === undefined ? undefined : mustBeName(release);
  const target = (known: string, fresh?: Target['fresh']): Target => ({
    kind: 'deploy',
    name: known,
    fresh,
    hosts: site.servers.join(','),
  });
  const record = site.store.record();
  if (options.resume) {
    const { unfinished } = record ?? {};
    if (unfinished?.kind === 'deploy' && (what === undefined || what === unfinished.release)) {
      await use(target(unfinished.release));
      return;
    }
    throw new UserError({
      message:
        unfinished?.kind === 'deploy'
          ? `the deploy that was stopped is that of ${unfinished.release}, not of ${what ?? ''}`
          : 'there is no deploy to resume',
      hint: 'see `provision releases`',
    });
  }
  if (what === undefined)
    throw new UserError({ message: 'deploy what?', hint: 'provision deploy v1.4, or a folder, or --resume' });
  const isFolder = isDirectory(what);
  const kept = record && !isFolder ? releaseIn(record, what) : undefined;
  const commit = /^\.{0,2}\//.test(what) ? undefined : await findCommit(process.cwd(), what);
  if (isFolder) {
    if (commit !== undefined) {
      throw new UserError({
        message: `"${what}" is a folder and a ref of git`,
        hint: `./${what} is the folder, and ${commit.short} the commit`,
      });
    }
    const folder = readReleaseFolder(resolve(what), site.settings.entry);
    const own = readIfThere(resolve(what, 'release'))?.trim() ?? '';
    const given = name ?? (nameProblem(own) === undefined ? own : folder.digest.slice(0, 12));
    await use(target(given, { folder, from: { kind: 'folder', path: resolve(what) } }));
    return;
  }
  if (kept !== undefined && name === undefined) {
    refuseOtherCommit(kept, what, commit);
    await use(target(kept.name));
    return;
  }
  if (commit === undefined) throw await refProblem(process.cwd(), what);
  const given = name ?? commit.short;
  const same = record && releaseIn(record, given);
  if ((same?.from.kind === 'git' && same.from.commit === commit.id) || options.dryRun) {
    await use(target(given));
    return;
  }
  await build(site, commit, signal, async (folder) => {
    const fresh = {
      folder: readReleaseFolder(folder, site.settings.entry),
      from: { kind: 'git' as const, ref: what, commit: commit.id },
    };
    await use(target(given, fresh));
  });
}

async function build(
  { settings }: AppSite,
  commit: Commit,
  signal: AbortSignal,
  use: (folder: string) => Promise<void>,
): Promise<void> {
  const { buildCommand, buildResult } = settings;
  process.stderr.write(`building ${commit.short}: ${buildCommand}\n`);
  await withBuild(
    commit,
    { command: buildCommand, result: buildResult, signal, tell: (chunk) => process.stderr.write(chunk) },
    use,
  );
}

/** A tag that has moved since a release was made of it is not what is kept under its name. */
function refuseOtherCommit({ name, from }: Release, what: string, commit: Commit | undefined): void {
  if (commit === undefined || (from.kind === 'git' && from.commit === commit.id)) return;
  throw new UserError({
    message: `"${what}" is a kept release (${from.kind === 'git' ? `of ${from.commit.slice(0, 10)}` : 'of a folder'}), and now names the commit ${commit.short}, too`,
    hint: `\`provision deploy ${commit.short}\` deploys the commit, \`provision rollback ${name}\` what is kept`,
  });
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
