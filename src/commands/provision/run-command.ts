import type { ExitCode } from '../../lib/errors.ts';
import { loadVarsDirectories } from '../../inventory/variables.ts';
import { sshTransport } from '../../transport/ssh.ts';
import type { CommandContext } from '../context.ts';
import { addressesIn } from './addresses.ts';
import { connectEarly } from './early-connections.ts';
import type { RunOptions } from './options.ts';
import { askUser, type Loaded, loadRun, runLoaded, runSettings, validate } from './run-load.ts';
import { takeLock, type RunLock } from './run-lock.ts';

/** Loads a playbook and its inventory and runs it; the exit code is left in `process.exitCode`. */
export async function runCommandWith(
  playbookFile: string,
  options: RunOptions,
  context: CommandContext,
): Promise<void> {
  const { signal } = context;
  const loaded = await loadRun(playbookFile, options);
  const { playbook, inventory } = loaded;
  if (options.syntaxCheck || options.list.length > 0) {
    await validate(playbook);
    const { listRun } = await import('./list-run.ts');
    process.stdout.write(
      options.syntaxCheck
        ? `${playbookFile}: ${playbook.plays.length} plays, no errors\n`
        : listRun(loaded, options),
    );
    return;
  }
  // Looking changes nothing, and may be done while another run is at work.
  const lock: RunLock | undefined = options.check ? undefined : takeLock(inventory.directory, commandLine());
  try {
    process.exitCode = await runHoldingLock(loaded, options, signal);
  } finally {
    lock?.release();
  }
}

/** Runs what was loaded, for whoever has the lock of the inventory, or needs none. Returns the exit code. */
export async function runHoldingLock(
  given: Loaded,
  options: RunOptions,
  signal: AbortSignal,
): Promise<ExitCode> {
  const loaded = await askUser(given, options);
  const { playbook, inventory } = loaded;
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
    const [recap, { exitCode }] = await Promise.all([
      runLoaded(loaded, transport, options, signal),
      import('../../report/exit-code.ts'),
    ]);
    return exitCode(recap, { check: options.check });
  } finally {
    await ssh.close();
  }
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
