import type { Inventory } from '../../inventory/inventory.ts';
import { loadVarsDirectories } from '../../inventory/variables.ts';
import type { Dict } from '../../lib/value.ts';
import type { RunEvent } from '../../run/events.ts';
import { sshTransport } from '../../transport/ssh.ts';
import { settings } from '../../config/settings.ts';
import { addressesIn } from './addresses.ts';
import type { RunOptions } from './options.ts';
import type { RollOptions } from './roll-options.ts';
import { askUser, loadRun, type ReportMaker, runLoaded, runSettings, validate } from './run-load.ts';

/** What is done on each host while it is out of service. */
export interface RollWork {
  /** As it is typed, without `provision`: `deploy 1.4`. The journal and `--resume` know the roll by it. */
  readonly purpose: string;
  readonly playbook: string;
  /** For the playbook, beside those of the command line. */
  readonly variables: Dict;
  /** The hosts when none are named. */
  readonly hosts: string;
  /** Only tasks with one of these tags. */
  readonly tags?: readonly string[];
  /** Whether it takes the hosts over that an unfinished roll of that purpose left out of service, as a rollback does. */
  readonly takesOver?: (purpose: string) => boolean;
  /** It concerns nothing but what answers requests: the databases stay as they are, and are not waited for. */
  readonly sparesDatabases?: boolean;
  /** What has to be done before the first host goes, and after the last one is back; under the roll's lock. */
  readonly before?: (makeReport: ReportMaker) => Promise<void>;
  readonly after?: () => Promise<void>;
}

/** A playbook that is known to be right, to be run on a few hosts at a time. */
export interface PreparedWork {
  readonly inventory: Inventory;
  /** Runs it on these hosts to its end; a sentence for each on which it failed. */
  readonly work: (hosts: readonly string[], makeReport: ReportMaker) => Promise<ReadonlyMap<string, string>>;
  readonly close: () => Promise<void>;
}

/** Loads the playbook of a roll and everything that it needs; rejects with all that is wrong. */
export async function playbookWork(work: RollWork, options: RollOptions): Promise<PreparedWork> {
  const common = runOptions(work, options);
  const found = await loadRun(work.playbook, common);
  await validate(found.playbook);
  const loaded = await askUser(found, common);
  const { inventory, playbook } = loaded;
  const playbookVars = loadVarsDirectories(playbook.directory);
  const { jumpHost } = addressesIn(inventory, {
    playbookVars,
    extraVars: common.extraVariables,
    command: runSettings(common),
  });
  const ssh = sshTransport({ hosts: jumpHost });
  return {
    inventory,
    async work(hosts, makeReport) {
      const failures = new Map<string, string>();
      // It is finished in any case: a host in the middle of its work is no state to leave it in.
      const toTheEnd = new AbortController().signal;
      const recap = await runLoaded(
        loaded,
        { connect: async (address, signal) => await ssh.connect(address, signal), close: async () => {} },
        { ...common, limit: hosts.join(',') },
        toTheEnd,
        async (options) => {
          const report = await makeReport(options);
          return {
            emit(event) {
              noteFailure(failures, event, options.redact);
              report.emit(event);
            },
            close: () => report.close(),
          };
        },
      );
      for (const host of hosts) {
        const counts = recap.hosts[host];
        if (counts === undefined || (counts.failed === 0 && counts.unreachable === 0)) failures.delete(host);
        else if (!failures.has(host)) failures.set(host, counts.failed > 0 ? 'failed' : 'unreachable');
      }
      return failures;
    },
    close: async () => await ssh.close(),
  };
}

function noteFailure(failures: Map<string, string>, event: RunEvent, redact: (text: string) => string): void {
  if (event.type !== 'result' || event.ignored) return;
  if (event.status !== 'failed' && event.status !== 'unreachable') return;
  // It goes into the journal.
  failures.set(event.host, redact(`${event.task}: ${event.message ?? event.status}`));
}

function runOptions(work: RollWork, options: RollOptions): RunOptions {
  return {
    inventory: options.inventory,
    extraVariables: new Map([...work.variables, ...options.extraVariables]),
    tags: work.tags ?? [],
    skipTags: [],
    check: false,
    diff: false,
    forks: settings().forks,
    json: options.json,
    yes: true,
    verbose: 0,
    forceHandlers: false,
    list: [],
    syntaxCheck: false,
  };
}
