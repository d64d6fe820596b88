import { Command } from 'commander';

import { candidates } from '../../failover/plan/candidates.ts';
import { analysisJson } from '../../failover/output/json.ts';
import { problems } from '../../failover/problems/problems.ts';
import { EXIT } from '../../lib/errors.ts';
import { palette, wantsColour } from '../../report/palette.ts';
import type { CommandContext } from '../context.ts';
import { candidatesText } from './change-text.ts';
import { addClusterOptions, addExamples, clusterChoice } from './options.ts';
import { look, mustAnswer, withSession } from './session.ts';
import { problemsText } from './topology-text.ts';

/** `failover analyse`: what is wrong, what to do about it, and who could become the primary. */
export function analyseCommand(_context: CommandContext): Command {
  const command = new Command('analyse').description('say what is wrong, and who could become the primary');
  addClusterOptions(command).option('--json', 'one JSON object');
  addExamples(command, [['failover analyse', 'problems with their remedies, and the candidates']]);
  return command.action(async () => {
    await withSession(clusterChoice(command), async (session) => {
      const { cluster, redact } = session;
      const { topology } = await look(session);
      mustAnswer(topology);
      const found = problems(topology, cluster.settings);
      const ranked = candidates(topology, cluster.settings);
      if (command.opts<{ json?: true }>().json) {
        const json = analysisJson(topology, found, ranked);
        process.stdout.write(redact(`${JSON.stringify(json, null, 2)}\n`));
      } else {
        const styles = palette(wantsColour(process.stdout, process.env));
        process.stdout.write(redact(`${problemsText(found, styles)}\n\n${candidatesText(ranked, styles)}\n`));
      }
      if (found.some((problem) => problem.severity === 'critical')) process.exitCode = EXIT.failed;
    });
  });
}
