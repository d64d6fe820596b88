import { Command } from 'commander';

import { primaryNames, sourceName } from '../../failover/output/json.ts';
import { primaryOf } from '../../failover/cluster/primary.ts';
import { count, subtract } from '../../database/gtid.ts';
import type { CommandContext } from '../context.ts';
import { addClusterOptions, addExamples, clusterChoice } from './options.ts';
import { look, mustAnswer, withSession } from './session.ts';
import { table } from './topology-text.ts';

interface Row {
  readonly name: string;
  readonly source: string | null;
  readonly lagSeconds: number | null;
  readonly toFetch: number | null;
  readonly toApply: number | null;
  readonly silence: string | null;
}

/** `failover lag`: how far each replica is behind, in seconds and in transactions. */
export function lagCommand(_context: CommandContext): Command {
  const command = new Command('lag').description('show how far each replica is behind');
  addClusterOptions(command).option('--json', 'one JSON object a replica');
  addExamples(command, [['failover lag', 'seconds, transactions to fetch and transactions to apply']]);
  return command.action(async () => {
    await withSession(clusterChoice(command), async (session) => {
      const { topology } = await look(session, { withoutBalancers: true });
      mustAnswer(topology);
      const [primaryName] = primaryNames(primaryOf(topology));
      const primary = topology.instances.find(({ spec }) => spec.name === primaryName);
      const rows = topology.instances.flatMap((instance): Row[] => {
        if (instance.spec.name === primaryName) return [];
        const name = instance.spec.name;
        if (instance.kind === 'silent') {
          return [
            {
              name,
              source: null,
              lagSeconds: null,
              toFetch: null,
              toApply: null,
              silence: instance.silence.message,
            },
          ];
        }
        const { replication, executed } = instance.state;
        const received = replication?.backlog;
        const behind =
          primary?.kind === 'answering' ? count(subtract(primary.state.executed, executed)) : null;
        const toApply = received ? count(received) : null;
        return [
          {
            name,
            source: sourceName(topology, instance) ?? null,
            lagSeconds: replication?.lagSeconds ?? null,
            toFetch: behind === null ? null : Math.max(0, behind - (toApply ?? 0)),
            toApply,
            silence: null,
          },
        ];
      });
      if (command.opts<{ json?: true }>().json) {
        for (const row of rows) process.stdout.write(`${JSON.stringify(row)}\n`);
        return;
      }
      const text = (value: number | string | null): string => (value === null ? '–' : String(value));
      const lines = table([
        ['replica', 'source', 'seconds', 'to fetch', 'to apply', ''],
        ...rows.map((row) => [
          row.name,
          text(row.source),
          text(row.lagSeconds),
          text(row.toFetch),
          text(row.toApply),
          row.silence ?? '',
        ]),
      ]);
      process.stdout.write(`${lines.join('\n')}\n`);
    });
  });
}
