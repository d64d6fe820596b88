import {
  type HostRecord,
  outOfServiceMs,
  outOfServiceSpans,
  type Phase,
  PHASES,
} from '../../site/roll/record.ts';
import type { RollRecord } from '../../site/roll/record.ts';
import { duration } from '../text.ts';
import { escaped, offsetText, placeOf, type Scale, ticks, unit } from './svg.ts';

const ROW = 44;
const BAR = 18;
const TOP = 26;
/** A letter of the names and labels is about this wide. */
const LETTER = 7;

/** The hosts of a roll and their phases along the time, as SVG. Each phase has a pattern of its own beside its colour. */
export function timeline(record: RollRecord, scale: Scale, width: number): string {
  const hosts = inOrderOfTime(record.hosts);
  const height = TOP + hosts.length * ROW + 6;
  return `<svg class="timeline" viewBox="0 0 ${width} ${height}" role="img" aria-label="The phases of each host along the time; the tables below say the same">
${PATTERNS}
${ticks(scale)
  .map((at) => {
    const x = unit(placeOf(scale, at));
    return `<line class="grid" x1="${x}" x2="${x}" y1="${TOP - 6}" y2="${height}"/><text class="tick" x="${x}" y="14" text-anchor="middle">${offsetText(at - scale.from)}</text>`;
  })
  .join('\n')}
${hosts.map((host, index) => hostRow(host, scale, TOP + index * ROW)).join('\n')}
</svg>`;
}

/** What each pattern means. */
export function legend(): string {
  const entries = PHASES.map(
    (phase) =>
      `<li><svg viewBox="0 0 34 14" width="34" height="14" aria-hidden="true"><rect class="phase ${phase}" x="1" y="1" width="32" height="12"/></svg> ${phase}</li>`,
  );
  return `<ul class="legend">${entries.join('')}<li><svg viewBox="0 0 34 14" width="34" height="14" aria-hidden="true"><rect class="out" x="1" y="5" width="32" height="4"/></svg> out of service</li></ul>`;
}

/** Those that went first come first; those that never went, last. */
export function inOrderOfTime(hosts: readonly HostRecord[]): readonly HostRecord[] {
  const begin = ({ phases }: HostRecord): number => phases[0]?.at ?? Infinity;
  return [...hosts].sort((a, b) => (begin(a) < begin(b) ? -1 : begin(a) > begin(b) ? 1 : 0));
}

function hostRow(host: HostRecord, scale: Scale, y: number): string {
  const out = outOfServiceMs(host, scale.to);
  const spans = outOfServiceSpans(host, scale.to).map(({ from, to }) => {
    const x = placeOf(scale, from);
    return `<rect class="out" x="${unit(x)}" y="${y + BAR + 4}" width="${unit(Math.max(1.5, placeOf(scale, to) - x))}" height="4"><title>${escaped(host.name)}: out of service for ${duration(to - from)}</title></rect>`;
  });
  const note = out > 0 ? `out ${duration(out)}` : host.phases.length === 0 ? 'not begun' : '';
  return `<g class="host"><text class="name" x="0" y="${y + 14}">${escaped(host.name)}</text><text class="note" x="0" y="${y + 30}">${note}</text>
${host.phases.map((phase) => bar(host.name, phase, scale, y)).join('\n')}
${spans.join('\n')}</g>`;
}

function bar(name: string, phase: HostRecord['phases'][number], scale: Scale, y: number): string {
  const end = phase.ms === undefined ? scale.to : phase.at + phase.ms;
  const x = placeOf(scale, phase.at);
  const width = Math.max(1.5, placeOf(scale, end) - x);
  const said = phase.message === undefined ? '' : `: ${phase.message}`;
  const title = `${name}: ${phase.phase} ${phase.status}, ${duration(end - phase.at)}${said}`;
  const isFailed = phase.status === 'failed';
  const word = isFailed ? `✖ ${phase.phase}` : phase.phase;
  const label =
    width > word.length * LETTER + 6
      ? `<text class="label" x="${unit(x + 4)}" y="${y + 13}">${word}</text>`
      : isFailed
        ? `<text class="label" x="${unit(x + width + 2)}" y="${y + 13}">✖</text>`
        : '';
  return `<rect class="phase ${phase.phase}${isFailed ? ' failed' : ''}" data-host="${escaped(name)}" data-phase="${phase.phase}" x="${unit(x)}" y="${y}" width="${unit(width)}" height="${BAR}"><title>${escaped(title)}</title></rect>${label}`;
}

/** What lies over the colour of a phase; work, the longest, is plain. */
const DRAWN: Readonly<Partial<Record<Phase, string>>> = {
  move: '<path d="M0 3h6M3 0v6"/>',
  drain: '<path d="M-1 1l2-2M0 6l6-6M5 7l2-2"/>',
  recover: '<circle cx="3" cy="3" r="1"/>',
  undrain: '<path d="M-1 5l2 2M0 0l6 6M5-1l2 2"/>',
  settle: '<path d="M0 3h6"/>',
};

const PATTERNS = `<defs>${Object.entries(DRAWN)
  .map(
    ([phase, drawn]) =>
      `<pattern id="on-${phase}" width="6" height="6" patternUnits="userSpaceOnUse"><rect class="${phase} ground" width="6" height="6"/><g class="drawn">${drawn}</g></pattern>`,
  )
  .join('')}</defs>`;
