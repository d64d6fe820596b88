import { COUNTER_NAMES, COUNTERS } from '../../site/counters.ts';
import { type HostRecord, outOfServiceMs, type RollRecord } from '../../site/roll/record.ts';
import { type RollReport, totalTraffic, type TotalTraffic } from '../../site/roll/report.ts';
import { clock, duration } from '../text.ts';
import { PAGE_STYLE } from './page-style.ts';
import { escaped, offsetText, type Scale } from './svg.ts';
import { millisecondsText } from './text.ts';
import { inOrderOfTime, legend, timeline } from './timeline.ts';
import { trafficChart } from './traffic-chart.ts';

const WIDTH = 1100;
const NAMES = 110;

/** A roll as one page that needs nothing besides itself, no script either. */
export function rollPage(report: RollReport): string {
  const { record } = report;
  const total = totalTraffic(report);
  const traffic = [...report.traffic.values()].filter((one) => typeof one !== 'string');
  const scale = scaleOf(record);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(record.purpose)}: ${record.outcome}</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<h1>${escaped(record.purpose)}</h1>
<p class="quiet">by ${escaped(record.who)}, ${clock(record.startedAt)}, ${escaped(record.id)}</p>
${cards(record, scale.to, total)}
${record.message === undefined ? '' : `<p class="message">${escaped(record.message)}</p>`}
<h2>The hosts along the time</h2>
<div class="drawing">
${timeline(record, scale, WIDTH)}
${total === undefined ? '' : trafficChart(traffic, scale, WIDTH)}
</div>
${legend()}
${total === undefined ? '' : trafficTable(report, total)}
<h2>Each host</h2>
${inOrderOfTime(record.hosts)
  .map((host) => hostTable(host, record.startedAt, scale.to))
  .join('\n')}
<footer>Times are UTC, and after the beginning of the roll.</footer>
</body>
</html>
`;
}

function scaleOf({ startedAt, endedAt, hosts }: RollRecord): Scale {
  const ends = hosts.flatMap(({ phases }) => phases.map(({ at, ms = 0 }) => at + ms));
  const to = endedAt ?? Math.max(startedAt + 1000, ...ends);
  return { from: startedAt, to, left: NAMES, right: WIDTH - 20 };
}

const OUTCOMES = {
  running: 'not at its end',
  done: '✔ done',
  stopped: '✖ stopped',
  interrupted: 'interrupted',
} as const satisfies Record<RollRecord['outcome'], string>;

function cards(record: RollRecord, now: number, total: TotalTraffic | undefined): string {
  const done = record.hosts.filter(({ state }) => state === 'done').length;
  const longest = Math.max(0, ...record.hosts.map((host) => outOfServiceMs(host, now)));
  const rows: readonly (readonly [string, string, string])[] = [
    ['outcome', OUTCOMES[record.outcome], record.outcome === 'done' ? 'ok' : 'bad'],
    ['duration', duration(now - record.startedAt), ''],
    ['hosts done', `${done} of ${record.hosts.length}`, ''],
    ['longest out of service', duration(longest), ''],
    ...(total === undefined ? [] : trafficCards(total)),
  ];
  return `<dl class="cards">${rows
    .map(([name, value, style]) => `<div><dt>${name}</dt><dd class="${style}">${value}</dd></div>`)
    .join('')}</dl>`;
}

function trafficCards({
  counts,
  slowestMs,
  slowestIsBound,
}: TotalTraffic): readonly (readonly [string, string, string])[] {
  return [
    ['requests', grouped(counts.requests), ''],
    ['failed (5xx)', grouped(counts['5xx']), counts['5xx'] === 0 ? 'ok' : 'bad'],
    ...(slowestMs === undefined
      ? []
      : ([['slowest request', `${slowestIsBound ? '≤ ' : ''}${millisecondsText(slowestMs)}`, '']] as const)),
  ];
}

function trafficTable({ traffic }: RollReport, { counts, notCounted }: TotalTraffic): string {
  const known = [...traffic].flatMap(([name, one]) => (typeof one === 'string' ? [] : [{ name, one }]));
  const rows = COUNTER_NAMES.map(
    (name) =>
      `<tr><th scope="row">${name}</th>${known.map(({ one }) => `<td class="number">${grouped(one.counts[name])}</td>`).join('')}<td class="number">${grouped(counts[name])}</td><td class="quiet">${COUNTERS[name].what}</td></tr>`,
  );
  const missing =
    notCounted.length === 0
      ? '<p class="quiet">Nothing was missed: every process of HAProxy was asked until its end.</p>'
      : `<p>Not counted:</p><ul>${notCounted.map((sentence) => `<li>${escaped(sentence)}</li>`).join('')}</ul>`;
  return `<h2>What HAProxy counted</h2>
<table><thead><tr><th></th>${known.map(({ name }) => `<th class="number">${escaped(name)}</th>`).join('')}<th class="number">all</th><th></th></tr></thead>
<tbody>${rows.join('\n')}</tbody></table>
${missing}`;
}

function hostTable(host: HostRecord, startedAt: number, now: number): string {
  const out = outOfServiceMs(host, now);
  const state = { waiting: 'not begun', begun: 'not finished', worked: 'not finished', done: 'done' }[
    host.state
  ];
  const rows = host.phases.map(
    ({ phase, at, ms, status, message = '' }) =>
      `<tr><td>${phase}</td><td>${offsetText(at - startedAt)}</td><td class="number">${duration(ms ?? now - at)}</td><td>${status === 'failed' ? '<span class="bad">✖ failed</span>' : status === 'running' ? 'cut off' : 'done'}</td><td>${escaped(message)}</td></tr>`,
  );
  return `<section data-host="${escaped(host.name)}"><h3>${escaped(host.name)} <span class="quiet">${state}${out > 0 ? `, out of service for ${duration(out)}` : ''}</span></h3>
${rows.length === 0 ? '' : `<table><thead><tr><th>phase</th><th>began</th><th class="number">took</th><th></th><th></th></tr></thead><tbody>${rows.join('\n')}</tbody></table>`}</section>`;
}

function grouped(count: number): string {
  return count.toLocaleString('en');
}
