import type { Survey } from '../cluster/survey.ts';
import { acceptable } from '../plan/accept.ts';
import { planPromote } from '../plan/promote.ts';
import { forceOption, type RiskCode } from '../plan/risks.ts';

/**
 * The command that replaces a primary which is not simply dead, with every risk that has to be accepted for it now;
 * `risk` is the one that the problem itself stands for.
 */
export function giveUpCommand({ topology, settings }: Survey, risk: RiskCode): string {
  const { needed, planned } = acceptable((accepts) => planPromote(topology, { accepts }, settings));
  const risks = 'plan' in planned && needed.length > 0 ? needed.map((one) => one.risk) : [risk];
  return `\`failover promote ${forceOption(risks)}\``;
}
