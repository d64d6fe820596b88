import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { DrillSite } from '../../src/commands/failover/drill-site.ts';
import type { ExerciseReport } from '../../src/failover/drill/exercise.ts';
import { convergence } from '../../src/failover/drill/invariants.ts';
import { service } from '../../src/failover/drill/look.ts';
import type { Tool } from '../../src/failover/drill/tool.ts';
import { ROOT } from '../common.ts';
import type { ChaosOptions } from './options.ts';

/** Prints a line with the time. */
export function say(line: string): void {
  process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
}

/** Keeps all that could tell why a round was violated. The lab stays as it is. */
export async function keepEvidence(
  site: DrillSite,
  failover: Tool,
  { name, seed }: ChaosOptions,
  number: number,
  kind: string,
  messages: readonly string[],
): Promise<void> {
  say(`round ${number} (${kind}) VIOLATED:`);
  for (const message of messages) say(`  ${message}`);
  const directory = join(ROOT, 'inventory', name, `chaos-${seed}-${number}`);
  await mkdir(directory, { recursive: true });
  const keep = async (file: string, work: () => Promise<string>): Promise<void> => {
    const text = await work().catch((error: unknown) => String(error));
    await writeFile(join(directory, file), site.redact(text));
  };
  await keep(
    'violations.txt',
    async () => `seed ${seed}, round ${number}: ${kind}\n${messages.join('\n')}\n`,
  );
  await keep('status.txt', async () => (await failover('status')).stdout);
  await keep('status.json', async () => (await failover('status', '--json')).stdout);
  await keep('history.json', async () => (await failover('history', '--json', '--number', '20')).stdout);
  await keep('converged.json', async () => JSON.stringify(await convergence(site, { withinMs: 0 }), null, 2));
  for (const { host, name: instance } of site.instances) {
    await keep(
      `${instance}-log.txt`,
      async () =>
        await site.ground.sh(
          host,
          `journalctl -u ${service(site)} --no-pager -n 200; tail -n 300 /var/log/mysql/error.log 2> /dev/null || :`,
          { timeoutMs: 20_000 },
        ),
    );
  }
  for (const { name: balancer } of site.balancers)
    await keep(
      `${balancer}-log.txt`,
      async () =>
        await site.ground.sh(balancer, 'journalctl -u failover-watch -u haproxy --no-pager -n 600', {
          timeoutMs: 20_000,
        }),
    );
  say(`state, journal and logs are in ${directory}; the lab ${name} stays as it is`);
}

/** Prints the totals of all rounds. */
export function summary(
  { seed, flavour }: ChaosOptions,
  rounds: readonly { readonly report: ExerciseReport }[],
  failed: boolean,
): void {
  const total = (of: (report: ExerciseReport) => number): number =>
    rounds.reduce((sum, { report }) => sum + of(report), 0);
  const gaps = rounds.map(({ report }) => report.tally.gapMs).sort((one, other) => one - other);
  say('');
  say(`seed ${seed}, ${flavour}: ${rounds.length} rounds`);
  say(
    `  writes accepted ${total((report) => report.tally.acknowledged)}, refused ${total((report) => report.tally.refused)}, without an answer ${total((report) => report.tally.unknown)}`,
  );
  say(
    `  longest time without an accepted write: median ${Math.round(gaps[Math.floor(gaps.length / 2)] ?? 0)} ms, worst ${Math.round(gaps.at(-1) ?? 0)} ms`,
  );
  say(`  changes of the primary: ${total((report) => report.tally.reigns.length - 1)}`);
  say(
    `  violations: ${total((report) => report.violations.length)}${failed ? ' and what stands above' : ''}`,
  );
}
