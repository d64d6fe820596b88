import { Command, InvalidArgumentError } from 'commander';
import { setTimeout as wait } from 'node:timers/promises';

import { statusJson } from '../../failover/output/json.ts';
import type { StatusJson } from '../../failover/output/json-schema.ts';
import type { Topology } from '../../failover/cluster/topology.ts';
import { type Problem, problems } from '../../failover/problems/problems.ts';
import { sessionStoreJson } from '../../failover/output/session-store-json.ts';
import { storeProblems } from '../../session-store/problems.ts';
import { EXIT, type ExitCode, UserError } from '../../lib/errors.ts';
import { palette, wantsColour } from '../../report/palette.ts';
import type { CommandContext } from '../context.ts';
import { addClusterOptions, addExamples, type ClusterChoice, clusterChoice } from './options.ts';
import { look, openableClusters, type Session } from './session.ts';
import { storeReader, storeText } from './session-store.ts';
import { topologyText } from './topology-text.ts';

interface StatusOptions {
  readonly json?: true;
  readonly watch?: true | number;
}

/** `failover status`: the topology, and what is wrong with it. */
export function statusCommand(context: CommandContext): Command {
  const command = new Command('status').description('show the topology, and what is wrong with it');
  addClusterOptions(command)
    .option('-w, --watch [seconds]', 'show it again and again (default: every second)', parseSeconds)
    .option(
      '--json',
      'one JSON object, or an array of them when there are several clusters; with --watch one object a line',
    );
  addExamples(command, [
    ['failover status', 'who is the primary, who follows, how far'],
    ['failover status --cluster orders', 'one of several clusters'],
    ['failover status --watch', 'while something happens'],
    ['failover status --json | jq -r .primary', 'for scripts'],
  ]).addHelpText(
    'after',
    '\nExit codes: 0 no critical problem, 2 a critical problem, 4 no instance answers.',
  );
  return command.action(async () => {
    const options = command.opts<StatusOptions>();
    const clusters = await openClusters(clusterChoice(command));
    try {
      if (options.watch === undefined) await show(clusters, options, false);
      else {
        const { signal } = context;
        const pause = (options.watch === true ? 1 : options.watch) * 1000;
        while (!signal.aborted) {
          await show(clusters, options, true);
          await wait(pause, undefined, { signal }).catch(() => {});
        }
      }
    } finally {
      await Promise.all(clusters.map(async ({ session }) => await session?.close()));
    }
  });
}

/** A cluster that is open, or why it is not. */
type Opened =
  | {
      readonly name: string;
      readonly session: Session;
      readonly readStore: ReturnType<typeof storeReader>;
      readonly error?: undefined;
    }
  | { readonly name: string; readonly session?: undefined; readonly error: UserError };

/** Opens every cluster that is meant; of several, one that cannot be opened does not hide the others. */
async function openClusters(choice: ClusterChoice): Promise<readonly Opened[]> {
  const openable = await openableClusters(choice);
  return await Promise.all(
    openable.map(async ({ name, open }): Promise<Opened> => {
      let session: Session | undefined;
      try {
        session = await open();
        await session.ports.ready();
        return { name, session, readStore: storeReader(session) };
      } catch (error) {
        await session?.close();
        if (openable.length === 1 || !(error instanceof UserError)) throw error;
        return { name, error };
      }
    }),
  );
}

/** What one cluster looks like, and the exit code that this makes. */
interface Shown {
  readonly text: string;
  readonly json: StatusJson | undefined;
  readonly exitCode: ExitCode;
}

async function show(clusters: readonly Opened[], options: StatusOptions, again: boolean): Promise<void> {
  const all = await Promise.all(clusters.map(async (cluster) => await shown(cluster)));
  const redact = (text: string): string =>
    clusters.reduce((said, { session }) => session?.redact(said) ?? said, text);
  const found = all.flatMap(({ json }) => (json === undefined ? [] : [json]));
  if (options.json) {
    for (const { text, json } of all) if (json === undefined) process.stderr.write(redact(text));
    if (again) for (const json of found) process.stdout.write(redact(`${JSON.stringify(json)}\n`));
    else {
      const [only] = found;
      process.stdout.write(redact(`${JSON.stringify(clusters.length === 1 ? only : found, null, 2)}\n`));
    }
  } else {
    // On a terminal the new one takes the place of the old one.
    const clear = again && process.stdout.isTTY ? '\u001b[H\u001b[2J' : '';
    const text = redact(all.map((each) => each.text).join('\n'));
    process.stdout.write(`${clear}${text}${again && clear === '' ? '\n' : ''}`);
  }
  // Among several the worst counts.
  process.exitCode = all.reduce<ExitCode>((code, each) => (each.exitCode > code ? each.exitCode : code), 0);
}

async function shown(opened: Opened): Promise<Shown> {
  const { name } = opened;
  if (opened.error) {
    const { error } = opened;
    return { text: `${name}: ${error.message}\n`, json: undefined, exitCode: error.exitCode };
  }
  const { session, readStore } = opened;
  const [{ topology, ms }, members] = await Promise.all([look(session), readStore?.()]);
  const found = problems(topology, session.cluster.settings);
  const styles = palette(wantsColour(process.stdout, process.env));
  const inStore = members === undefined ? [] : storeProblems(members);
  const store = members === undefined ? '' : `\n${storeText(members, inStore, styles)}`;
  return {
    text: topologyText(topology, found, styles) + store,
    json: statusJson(topology, found, ms, members === undefined ? null : sessionStoreJson(members)),
    exitCode: exitCodeOf(topology, [...found, ...inStore]),
  };
}

function exitCodeOf(topology: Topology, found: readonly Pick<Problem, 'severity'>[]): ExitCode {
  if (!topology.instances.some((instance) => instance.kind === 'answering')) return EXIT.unreachable;
  return found.some((problem) => problem.severity === 'critical') ? EXIT.failed : EXIT.ok;
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds >= 0.1 && seconds <= 3600)) {
    throw new InvalidArgumentError('It is a number of seconds, from 0.1 to 3600.');
  }
  return seconds;
}
