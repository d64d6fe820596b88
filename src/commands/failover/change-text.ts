import type { Plan } from '../../failover/plan/action.ts';
import { marksOf, sentenceOf } from '../../failover/plan/sentence.ts';
import type { Candidate } from '../../failover/plan/candidates.ts';
import type { Outcome } from '../../failover/execute/outcome.ts';
import type { Refusal } from '../../failover/plan/refusals.ts';
import { forceOption, riskName, RISKS } from '../../failover/plan/risks.ts';
import type { Palette } from '../../report/palette.ts';

/** What will be done, what it costs and, when asked for, every step: those without a number run beside the one above. */
export function planText(plan: Plan, styles: Palette, withSteps: boolean): string {
  const change = plan.from === undefined ? plan.to : `${plan.from} → ${plan.to}`;
  const lines = [`${styles.strong(plan.kind)} ${change}`];
  if (plan.lostCount > 0) {
    lines.push(styles.failed(`  ${plan.lostCount} transactions will be lost: ${plan.lost}`));
  } else if (plan.kind === 'failover') lines.push('  no transaction is known to be lost');
  for (const code of plan.accepted ?? [])
    lines.push(styles.changed(`  accepted: ${riskName(code)}: ${RISKS[code]}`));
  for (const note of plan.notes) lines.push(`  ${note}`);
  if (withSteps) {
    for (const [index, stage] of plan.stages.entries()) {
      for (const [place, step] of stage.entries()) {
        const marks = marksOf(step);
        const mark = marks.length === 0 ? '' : styles.quiet(` (${marks.join(', ')})`);
        const number = place === 0 ? `${index + 1}.` : '';
        lines.push(`  ${number.padStart(3)} ${sentenceOf(step.action)}${mark}`);
      }
    }
  }
  return lines.join('\n');
}

/** Every reason why not, with what to do about it; `accept` is the command that accepts all of them. */
export function refusalsText(
  refusals: readonly Refusal[],
  styles: Palette,
  accept: string | undefined,
): string {
  const lines = [styles.failed('refused:')];
  for (const { code, message, remedy, risk, details } of refusals) {
    lines.push(`  ${styles.strong(code)}: ${message}`);
    for (const detail of details) lines.push(`    ${detail}`);
    lines.push(`    → ${remedy}`);
    if (risk) lines.push(styles.quiet(`      or accept it with ${forceOption([risk])}: ${RISKS[risk]}`));
  }
  if (accept !== undefined) lines.push(`to accept ${refusals.length === 1 ? 'it' : 'them'}: ${accept}`);
  return lines.join('\n');
}

/** The candidates, the best first, and why not the others. */
export function candidatesText(ranked: readonly Candidate[], styles: Palette): string {
  const lines = ranked.map((candidate, index) => {
    const { name, limitation, advantages, drawbacks } = candidate;
    if (limitation !== undefined) return `  ${styles.failed('✖')} ${name}: ${limitation}`;
    const said = [...advantages, ...drawbacks.map((drawback) => styles.changed(drawback))].join(', ');
    return `  ${index === 0 ? styles.ok('→') : ' '} ${name}${said === '' ? '' : `: ${said}`}`;
  });
  return ['candidates:', ...lines].join('\n');
}

/** How it ended, in a sentence or two. */
export function resultText(outcome: Outcome, styles: Palette): string {
  const change = outcome.from === undefined ? outcome.to : `${outcome.from} → ${outcome.to}`;
  const took = `in ${outcome.ms} ms`;
  const lines: string[] = [];
  switch (outcome.outcome) {
    case 'done':
      lines.push(styles.ok(`${outcome.kind} ${change} done ${took}`));
      break;
    case 'undone':
      lines.push(
        styles.changed(`${outcome.kind} ${change} was taken back ${took}: ${outcome.message ?? ''}`),
      );
      break;
    case 'failed':
      lines.push(styles.failed(`${outcome.kind} ${change} failed ${took}: ${outcome.message ?? ''}`));
      break;
  }
  if (outcome.unwritableMs !== undefined) lines.push(`writes stood still for ${outcome.unwritableMs} ms`);
  if (outcome.lostGtids !== '') lines.push(styles.failed(`lost: ${outcome.lostGtids}`));
  if (outcome.fenced.length > 0) lines.push(`fenced: ${outcome.fenced.join(', ')}`);
  for (const warning of outcome.warnings)
    lines.push(styles.changed(`failed, which the plan allows: ${warning}`));
  if (outcome.left.length > 0) {
    lines.push(styles.changed('still to be done:'), ...outcome.left.map((sentence) => `  ${sentence}`));
  }
  return lines.join('\n');
}
