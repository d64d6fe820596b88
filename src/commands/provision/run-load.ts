import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

import { type Problem, UserError } from '../../lib/errors.ts';
import { SecretRegistry } from '../../lib/secret.ts';
import { theVault } from '../../lib/vault.ts';
import { loadInventory } from '../../inventory/load.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import { selectHosts } from '../../inventory/select.ts';
import { loadPlaybook } from '../../playbook/load.ts';
import type { LoaderOptions } from '../../playbook/loader-options.ts';
import type { Playbook } from '../../playbook/ast.ts';
import type { Report, ReportOptions } from '../../report/stream.ts';
import type { Recap } from '../../run/run-playbook.ts';
import type { RunSettings } from '../../run/world.ts';
import type { Transport } from '../../transport/transport.ts';
import { renderStatic } from '../../variables/static.ts';
import { CONNECT_TIMEOUT_MS } from './addresses.ts';
import type { RunOptions } from './options.ts';

/** A playbook and its inventory, ready to run. */
export interface Loaded {
  readonly playbook: Playbook;
  readonly inventory: Inventory;
  readonly loaderOptions: LoaderOptions;
  /** What the user typed and nobody may see. */
  readonly typed?: readonly string[];
}

/** Loads everything, and reports all that is wrong with it at once. */
export async function loadRun(playbookFile: string, options: RunOptions): Promise<Loaded> {
  const problems: Problem[] = [];
  const attempt = <T>(work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(...error.problems);
      return undefined;
    }
  };
  const file = resolve(playbookFile);
  const loaderOptions: LoaderOptions = { renderStatic: renderStatic(options.extraVariables) };
  const inventory = attempt(() => loadInventory(options.inventory));
  const playbook = attempt(() => {
    if (!existsSync(file)) throw new UserError(`there is no playbook ${playbookFile}`);
    return loadPlaybook(file, loaderOptions);
  });
  if (inventory && options.limit !== undefined) attempt(() => selectHosts(inventory, 'all', options.limit));
  if (problems.length === 0 && inventory && playbook) return { playbook, inventory, loaderOptions };
  if (playbook) problems.push(...(await problemsOf(playbook)));
  throw new UserError(problems);
}

/** Rejects with everything that is wrong with a playbook. */
export async function validate(playbook: Playbook): Promise<void> {
  const problems = await problemsOf(playbook);
  if (problems.length > 0) throw new UserError(problems);
}

async function problemsOf(playbook: Playbook): Promise<readonly Problem[]> {
  const { validatePlaybook } = await import('../../validate/validate.ts');
  return await validatePlaybook(playbook);
}

/** Asks the user for what the plays want to be asked. */
export async function askUser(loaded: Loaded, options: RunOptions): Promise<Loaded> {
  if (!loaded.playbook.plays.some((play) => play.prompts.length > 0)) return loaded;
  const { answerPrompts, terminalAsk } = await import('./prompts.ts');
  const { playbook, secrets } = await answerPrompts(loaded.playbook, options.extraVariables, terminalAsk());
  return { ...loaded, playbook, typed: secrets };
}

/** Makes the report of a run: by itself as the options say, on stdout and stderr. */
export type ReportMaker = (options: ReportOptions & { readonly json: boolean }) => Promise<Report>;

/** Runs what was loaded, and reports it. */
export async function runLoaded(
  { playbook, inventory, loaderOptions, typed = [] }: Loaded,
  transport: Transport,
  options: RunOptions,
  signal: AbortSignal,
  makeReport?: ReportMaker,
): Promise<Recap> {
  const [{ createReport }, { runPlaybook }] = await Promise.all([
    import('../../report/report.ts'),
    import('../../run/run-playbook.ts'),
  ]);
  const secrets = new SecretRegistry();
  theVault().onSecret((secret) => secrets.add(secret));
  for (const secret of typed) secrets.add(secret);
  const report = await (makeReport ?? createReport)({
    json: options.json,
    check: options.check,
    diff: options.diff,
    verbose: options.verbose,
    redact: (text) => secrets.redact(text),
  });
  for (const warning of [...inventory.warnings, ...playbook.warnings]) {
    report.emit({
      type: 'warning',
      message: warning.message,
      ...(warning.location ? { at: warning.location } : {}),
    });
  }
  try {
    return await runPlaybook({
      playbook,
      inventory,
      loaderOptions,
      transport,
      secrets,
      settings: runSettings(options),
      site: async (ask, timeoutMs) => {
        const { siteActions } = await import('./site-actions.ts');
        return await siteActions(options)(ask, timeoutMs);
      },
      emit: (event) => report.emit(event),
      signal,
    });
  } finally {
    await report.close();
  }
}

/** What the command line says to a run. */
export function runSettings(options: RunOptions): RunSettings {
  return {
    checkMode: options.check,
    diffMode: options.diff,
    tags: options.tags,
    skipTags: options.skipTags,
    extraVars: options.extraVariables,
    limit: options.limit,
    forks: options.forks,
    startAtTask: options.startAtTask,
    forceHandlers: options.forceHandlers,
    verbosity: options.verbose,
    hostKeyChecking: 'strict',
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
  };
}
