import { explainApt } from '../lib/apt-output.ts';
import { EXIT, UserError } from '../lib/errors.ts';
import { command } from '../lib/shell.ts';
import { updateScript } from '../modules/parts/apt-scripts.ts';
import type { Become, Connection } from '../transport/transport.ts';
import { type AvailableVersion, parseMadison, parseUpgrade, type SimulatedUpgrade } from './host-work.ts';
import { type HostState, hostStateScript, parseHostState } from './host-state.ts';

/** What is asked of a host before and after it is upgraded. Only `refresh` changes anything. */
export interface UpgradeHost {
  readonly name: string;
  /** Fetches the lists of packages; rejects when a source does not answer. */
  refresh(): Promise<void>;
  state(): Promise<HostState>;
  /** What apt-get would do if it were called so. */
  simulate(words: readonly string[]): Promise<SimulatedUpgrade>;
  /** All versions of these packages that the sources have. */
  available(names: readonly string[]): Promise<readonly AvailableVersion[]>;
}

const LOCK_TIMEOUT_SECONDS = 60;
const RETRIES = 3;
const LONGEST_PAUSE_SECONDS = 5;
const TIMEOUT_MS = 300_000;

/** The host at the other end of a connection, as root. */
export function upgradeHost(connection: Connection, become: Become, signal: AbortSignal): UpgradeHost {
  const name = connection.host;
  const run = async (script: string, what: string): Promise<Buffer> => {
    const { status, stdout, stderr, timedOut } = await connection.run(script, {
      become,
      signal,
      timeoutMs: TIMEOUT_MS,
    });
    if (status === 0) return stdout;
    const said = stderr.toString('utf8').trim();
    const explained = explainApt(said);
    const reason = timedOut ? `it did not end within ${TIMEOUT_MS / 1000} s` : said || `status ${status}`;
    throw new UserError(
      { message: `${name}: ${what}: ${explained?.message ?? reason}`, hint: explained?.hint },
      { exitCode: EXIT.failed },
    );
  };
  return {
    name,
    async refresh() {
      await run(
        updateScript(LOCK_TIMEOUT_SECONDS, RETRIES, LONGEST_PAUSE_SECONDS),
        'the lists of packages cannot be fetched',
      );
    },
    state: async () => parseHostState(await run(hostStateScript(), 'its packages cannot be read')),
    async simulate(words) {
      const script = command(['apt-get', '-s', '-q', '-o', 'Debug::NoLocking=1', ...words]);
      const output = await run(`export LC_ALL=C\n${script}`, 'apt-get cannot say what it would do');
      return parseUpgrade(output.toString('utf8'));
    },
    async available(names) {
      if (names.length === 0) return [];
      const text = await run(command(['apt-cache', 'madison', '--', ...names]), 'apt-cache cannot be asked');
      return parseMadison(text.toString('utf8'));
    },
  };
}
