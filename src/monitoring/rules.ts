import { stringify } from 'yaml';

import { ALERTS } from './alerts.ts';
import { RECORDS } from './records.ts';

/** The rules as Prometheus reads them. */
export function rulesFile(): string {
  const records = RECORDS.map(({ name, expression }) => ({ record: name, expr: expression }));
  const groups = ALERTS.map(({ name, alerts }) => ({
    name,
    rules: alerts.map((alert) => ({
      alert: alert.code,
      expr: alert.expression,
      ...(alert.for !== undefined && { for: alert.for }),
      labels: { severity: alert.severity },
      annotations: { summary: alert.summary, runbook: `docs/alerts.md#${alert.code.toLowerCase()}` },
    })),
  }));
  const notice =
    '# Made from src/monitoring/alerts.ts by scripts/generate-docs.ts. Your own rules go to files of your own.\n';
  return notice + stringify({ groups: [{ name: 'names', rules: records }, ...groups] }, { lineWidth: 0 });
}

/** Every alert with what to do about it, as a page of docs/. */
export function alertsPage(notice: string): string {
  const parts = ALERTS.map(({ title, alerts }) =>
    [
      `## ${title}`,
      ...alerts.map((alert) =>
        [
          `### ${alert.code}`,
          alert.meaning,
          `- **${alert.severity}**${alert.for === undefined ? '' : `, after ${alert.for}`}: \`${alert.expression}\``,
          `- **What to do**: ${alert.remedy}`,
        ].join('\n\n'),
      ),
    ].join('\n\n'),
  );
  return `${notice}

# What the monitoring tells, and what to do

Each alert by the name that it has in the message ([monitoring.md](monitoring.md)). \`page\` is what to wake somebody for, \`warning\`
what can wait for the morning.

${parts.join('\n\n')}
`;
}
