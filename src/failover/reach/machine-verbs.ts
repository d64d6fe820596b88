import { EXIT, UserError } from '../../lib/errors.ts';
import type { LogsFrom, Machine } from './machine.ts';

/** How a verb of `understudy-node` ended; -1: it could not be started at all. */
export interface VerbResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The machine was not reached, or was lost; undefined when the verb itself ended. */
  readonly unreachable?: string | undefined;
}

/** Runs one verb on the machine. */
export type RunVerb = (
  argv: readonly string[],
  options: {
    readonly timeoutMs: number;
    readonly signal?: AbortSignal | undefined;
    /** Takes what the verb says on its standard output, which is then not in the result. */
    readonly onStdout?: ((chunk: Buffer) => void) | undefined;
    readonly stdin?: Buffer | undefined;
  },
) => Promise<VerbResult>;

/** Longer than the script takes at most, so that its own error message is reported. */
const FENCE_MS = 25_000;
/** The server answers only after InnoDB's recovery. */
const UNFENCE_SECONDS = 300;
const COPY_MS = 4 * 3_600_000;
/** Ending connections takes milliseconds, and nobody waits for it longer than for what it hastens. */
const END_CONNECTIONS_MS = 5000;
/** What the script says when it left a server stopped, because somebody had stopped it before the fence. */
const STAYS_STOPPED = 'stopped: ';
/** Reading or executing what a dead primary has logged; the step around it has a limit of its own. */
const LOG_MS = 600_000;
/** What the script needs at the end of its own limit, to end the session and to leave the server as it was. */
const APPLY_END_MS = 5000;
/** The most that is kept in memory of what a machine says. */
const MOST_BYTES = 512 * 1024 * 1024;
/** The script's status for words that it does not know. */
const UNKNOWN_VERB = 64;

class UnknownVerb extends UserError {}

/** Which of the instances of a machine is meant; without a unit, the one that is the flavour's own. */
export interface InstanceOfMachine {
  readonly unit?: string | undefined;
  readonly port: number;
}

/**
 * Verbs that concern one instance of a machine. A script of an older release knows no units: it refuses the words, and
 * touches no other instance.
 */
export function ofInstance(instance: InstanceOfMachine | undefined, run: RunVerb): RunVerb {
  if (instance?.unit === undefined) return run;
  const chosen = ['--unit', instance.unit, '--port', String(instance.port)];
  return async (argv, options) => await run([...chosen, ...argv], options);
}

/** A machine on which the verbs of `files/failover/understudy-node` are run by `run`. */
export function machineOf(host: string, run: RunVerb): Machine {
  const act = async (
    argv: readonly string[],
    timeoutMs: number,
    signal?: AbortSignal,
    more: Pick<Parameters<RunVerb>[1], 'onStdout' | 'stdin'> = {},
  ): Promise<string> => {
    signal?.throwIfAborted();
    const result = await run(argv, { timeoutMs, signal, ...more });
    if (result.unreachable !== undefined) {
      throw new UserError(`${host}: cannot be reached for '${argv.join(' ')}': ${result.unreachable}`, {
        exitCode: EXIT.unreachable,
      });
    }
    if (result.status === 0) return result.stdout;
    const said = result.stderr.trim().slice(-2000) || `it ended with status ${result.status}`;
    const Failure = result.status === UNKNOWN_VERB ? UnknownVerb : UserError;
    throw new Failure(`${host}: '${argv.join(' ')}' failed: ${said}`, { exitCode: EXIT.failed });
  };
  const heard = async (argv: readonly string[], signal?: AbortSignal): Promise<Buffer> => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const full = new AbortController();
    const onStdout = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > MOST_BYTES) {
        const most = `${MOST_BYTES / 1024 / 1024} MB`;
        full.abort(new UserError(`${host}: '${argv[0]}' says more than ${most}, too much to be taken along`));
      } else chunks.push(chunk);
    };
    await act(argv, LOG_MS, AbortSignal.any([full.signal, ...(signal ? [signal] : [])]), { onStdout });
    return Buffer.concat(chunks);
  };
  const words = ({ log, beyond }: LogsFrom): readonly string[] => [log, ...(beyond === '' ? [] : [beyond])];
  return {
    host,
    fence: async (signal) => void (await act(['fence'], FENCE_MS, signal)),
    unfence: async (signal, asBefore = false) => {
      const limits = [String(UNFENCE_SECONDS), (UNFENCE_SECONDS + 15) * 1000] as const;
      const unfence = (verb: string): Promise<string> => act([verb, limits[0]], limits[1], signal);
      try {
        const said = await unfence(asBefore ? 'undo-fence' : 'unfence');
        return { runs: !said.startsWith(STAYS_STOPPED) };
      } catch (error) {
        // The machine has the script of an older release.
        if (!(error instanceof UnknownVerb) || !asBefore) throw error;
        await unfence('unfence');
        return { runs: true };
      }
    },
    endConnections: async ({ address, port }, signal) =>
      void (await act(['end-connections', address, String(port)], END_CONNECTIONS_MS, signal)),
    serveCopy: async (signal) => void (await act(['serve-copy'], FENCE_MS, signal)),
    endCopy: async (signal) => void (await act(['end-copy'], FENCE_MS, signal)),
    copyFrom: async (donor, report, signal) =>
      void (await act(['copy-from', donor.host, donor.address], COPY_MS, signal, {
        onStdout: byLine(report),
      })),
    newestLogs: async (count, signal) => (await heard(['logs', String(count)], signal)).toString('utf8'),
    logEvents: async (from, signal) => (await heard(['log-events', ...words(from)], signal)).toString('utf8'),
    logStatements: async (from, signal) => await heard(['log-statements', ...words(from)], signal),
    applyLog: async (statements, { timeoutMs, signal }) => {
      const seconds = Math.max(1, Math.floor((timeoutMs - APPLY_END_MS) / 1000));
      await act(['apply-log', String(seconds)], timeoutMs, signal, { stdin: statements });
    },
  };
}

/** Splits chunks of output into lines. */
export function byLine(onLine: (line: string) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      onLine(rest.subarray(0, end).toString('utf8'));
      rest = rest.subarray(end + 1);
    }
  };
}
