import type { Traffic } from '../../site/roll/traffic.ts';
import { placeOf, type Scale, ticks, unit } from './svg.ts';

const HEIGHT = 110;
const TOP = 16;
const BOTTOM = 100;
/** More pieces than this nobody can tell apart. */
const MOST_PIECES = 240;

/** The requests of each second and those that failed, all balancers together, as SVG. */
export function trafficChart(all: readonly Traffic[], scale: Scale, width: number): string {
  const { rates, failed, pieceMs, first } = perSecond(all, scale);
  const top = Math.max(1, ...rates);
  const y = (rate: number): string => unit(BOTTOM - ((BOTTOM - TOP) * rate) / top);
  const x = (piece: number): string => unit(placeOf(scale, scale.from + piece * pieceMs));
  const line = rates
    .map((rate, piece) => (piece < first ? '' : `L${x(piece)} ${y(rate)}L${x(piece + 1)} ${y(rate)}`))
    .join('');
  const marks = failed.flatMap((count, piece) =>
    count > 0
      ? [
          `<g class="failure"><line x1="${x(piece + 0.5)}" x2="${x(piece + 0.5)}" y1="${TOP}" y2="${BOTTOM}"/><text x="${x(piece + 0.5)}" y="${TOP - 4}" text-anchor="middle">✖ ${count}</text></g>`,
        ]
      : [],
  );
  return `<svg class="traffic" viewBox="0 0 ${width} ${HEIGHT}" role="img" aria-label="Requests a second">
${ticks(scale)
  .map((at) => {
    const place = unit(placeOf(scale, at));
    return `<line class="grid" x1="${place}" x2="${place}" y1="${TOP}" y2="${BOTTOM}"/>`;
  })
  .join('\n')}
<text class="name" x="0" y="${TOP + 10}">requests/s</text><text class="note" x="0" y="${TOP + 26}">up to ${Math.round(top)}</text>
<path class="rate" d="M${x(first)} ${BOTTOM}${line}L${unit(scale.right)} ${BOTTOM}Z"/>
${marks.join('\n')}
</svg>`;
}

interface Pieces {
  readonly pieceMs: number;
  readonly rates: readonly number[];
  readonly failed: readonly number[];
  /** Nobody counted before this one. */
  readonly first: number;
}

/** Requests between two looks are taken to have come evenly. */
function perSecond(all: readonly Traffic[], { from, to }: Scale): Pieces {
  const count = Math.min(MOST_PIECES, Math.max(1, Math.round((to - from) / 1000)));
  const pieceMs = (to - from) / count;
  const requests = Array.from({ length: count }, () => 0);
  const failed = Array.from({ length: count }, () => 0);
  for (const { points } of all) {
    for (const [index, point] of points.entries()) {
      const before = points[index - 1];
      if (before === undefined || point.at <= before.at) continue;
      for (let piece = 0; piece < count; piece++) {
        const begin = Math.max(before.at, from + piece * pieceMs);
        const end = Math.min(point.at, from + (piece + 1) * pieceMs);
        if (end <= begin) continue;
        const share = (end - begin) / (point.at - before.at);
        requests[piece] = (requests[piece] ?? 0) + share * (point.requests - before.requests);
      }
      // A failure is one, wherever between the looks it was.
      const last = Math.min(count - 1, Math.max(0, Math.floor((point.at - 1 - from) / pieceMs)));
      failed[last] = (failed[last] ?? 0) + point.failed - before.failed;
    }
  }
  const begin = Math.min(to, ...all.flatMap(({ points }) => points[0]?.at ?? []));
  const first = Math.min(count, Math.max(0, Math.floor((begin - from) / pieceMs)));
  return { pieceMs, first, rates: requests.map((sum) => (sum * 1000) / pieceMs), failed };
}
