import { Argument, Command } from 'commander';

import { PROMOTION_RULES, type PromotionRule } from '../../failover/cluster/promotion-rule.ts';
import type { CommandContext } from '../context.ts';
import { addClusterOptions, addExamples, clusterChoice, findInstance } from './options.ts';
import { withCoordination } from './session.ts';

/** What may be given in place of a rule: then the one of the inventory holds. */
type Rule = PromotionRule | 'inventory';
const RULES: readonly Rule[] = [...PROMOTION_RULES, 'inventory'];

/** `failover set-rule`: how an instance ranks as the next primary. */
export function setRuleCommand(_context: CommandContext): Command {
  const command = new Command('set-rule')
    .description('rank an instance as the next primary')
    .argument('<instance>', 'its name, or its host')
    .addArgument(new Argument('<rule>', '"inventory": as the inventory says').choices(RULES));
  addClusterOptions(command);
  addExamples(command, [
    ['failover set-rule db3 must_not', 'db3 never becomes the primary'],
    ['failover set-rule db3 inventory', 'what the inventory says holds again'],
  ]);
  return command.action(async (word: string, rule: Rule) => {
    await withCoordination(clusterChoice(command, word), async (coordination, cluster) => {
      const { name, rule: written } = findInstance(cluster, word);
      await coordination.remember((memory) => {
        const { [name]: _before, ...rules } = memory.rules;
        return { ...memory, rules: rule === 'inventory' ? rules : { ...rules, [name]: rule } };
      });
      process.stdout.write(`${name}: ${rule === 'inventory' ? `${written} (the inventory)` : rule}\n`);
    });
  });
}
