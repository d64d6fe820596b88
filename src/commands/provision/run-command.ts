import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

import { type Problem, UserError } from '../../lib/errors.ts';
import { SecretRegistry } from '../../lib/secret.ts';
import { loadInventory } from '../../inventory/load.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import { selectHosts } from '../../inventory/select.ts';
import { loadVarsDirectories } from '../../inventory/variables.ts';
import { loadPlaybook } from '../../playbook/load.ts';
import type { LoaderOptions } from '../../playbook/loader-options.ts';
import type { Playbook } from '../../playbook/ast.ts';
import { renderStatic } from '../../variables/static.ts';
import { takeLock, type RunLock } from './run-lock.ts';
import type { RunSettings } from '../../run/world.ts';
import { sshTransport } from '../../transport/ssh.ts';
import type { Transport } from '../../transport/transport.ts';
import type { CommandContext } from '../context.ts';
import { addressesIn, CONNECT_TIMEOUT_MS } from './addresses.ts';
import { connectEarly } from './early-connections.ts';
import type { RunOptions } from './options.ts';

/** Loads a playbook and its inventory and runs it; the exit code is left in `process.exitCode`. */
export async function runCommandWith(
  playbookFile: string,
  options: RunOptions,
  context: CommandContext,
): Promise<void> {
  const { signal } = context;
  const loaded = await load(playbookFile, options);
  const { playbook, inventory } = loaded;
  if (options.syntaxCheck || options.list.length > 0) {
    await validate(playbook);
    const { listRun } = await import('./list-run.ts');
    process.stdout.write(
      options.syntaxCheck
        ? `${playbookFile}: ${playbook.plays.length} plays, no errors\n`
        : listRun(playbook, inventory, options),
    );
    return;
  }
  // Looking changes nothing, and may be done while another run is at work.
  const lock: RunLock | undefined = options.check ? undefined : takeLock(inventory.directory, commandLine());
  const sources = {
    playbookVars: loadVarsDirectories(playbook.directory),
    extraVars: options.extraVariables,
    command: runSettings(options),
  };
  const ssh = sshTransport({ hosts: addressesIn(inventory, sources).jumpHost });
  try {
    // Most of the program is loaded while the hosts answer; nothing is asked of them before the playbook is found right.
    const transport = connectEarly(ssh, inventory, playbook, {
      ...sources,
      limit: options.limit,
      forks: options.forks,
    });
    await validate(playbook);
    process.exitCode = await run(loaded, transport, options, signal);
  } finally {
    await ssh.close();
    lock?.release();
  }
}

async function run(
  { playbook, inventory, loaderOptions }: Loaded,
  transport: Transport,
  options: RunOptions,
  signal: AbortSignal,
): Promise<number> {
  const [{ createReport }, { runPlaybook }, { exitCode }] = await Promise.all([
    import('../../report/report.ts'),
    import('../../run/run-playbook.ts'),
    import('../../report/exit-code.ts'),
  ]);
  const secrets = new SecretRegistry();
  const report = await createReport({
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
    const recap = await runPlaybook({
      playbook,
      inventory,
      loaderOptions,
      transport,
      secrets,
      settings: runSettings(options),
      emit: report.emit,
      signal,
    });
    return exitCode(recap, { check: options.check });
  } finally {
    await report.close();
  }
}

interface Loaded {
  readonly playbook: Playbook;
  readonly inventory: Inventory;
  readonly loaderOptions: LoaderOptions;
}

/** Loads everything, and reports all that is wrong with it at once. */
async function load(playbookFile: string, options: RunOptions): Promise<Loaded> {
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

async function validate(playbook: Playbook): Promise<void> {
  const problems = await problemsOf(playbook);
  if (problems.length > 0) throw new UserError(problems);
}

async function problemsOf(playbook: Playbook): Promise<readonly Problem[]> {
  const { validatePlaybook } = await import('../../validate/validate.ts');
  return await validatePlaybook(playbook);
}

function runSettings(options: RunOptions): RunSettings {
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

/** What was typed, for the lock's message; variables may hold secrets and are left out. */
function commandLine(): string {
  const words = process.argv.slice(2);
  const hidden = words.map((word, index) => {
    const before = words[index - 1];
    if (before === '-e' || before === '--extra-vars') return '…';
    return /^(-e.|--extra-vars=)/.test(word) ? '-e …' : word;
  });
  return ['provision', ...hidden].join(' ');
}
