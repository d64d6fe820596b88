/** Text as it stands in HTML and SVG. */
export function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** From a span of time to a place on the drawing. */
export interface Scale {
  readonly from: number;
  readonly to: number;
  readonly left: number;
  readonly right: number;
}

/** The place of a moment, in the drawing's units. */
export function placeOf({ from, to, left, right }: Scale, at: number): number {
  const share = (at - from) / Math.max(1, to - from);
  return left + (right - left) * Math.min(1, Math.max(0, share));
}

const STEPS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400].map(
  (seconds) => seconds * 1000,
);

/** Moments worth a line across the drawing, about ten of them. */
export function ticks({ from, to }: Pick<Scale, 'from' | 'to'>): readonly number[] {
  const step = STEPS_MS.find((ms) => (to - from) / ms <= 10) ?? to - from;
  const count = Math.floor((to - from) / step) + 1;
  return Array.from({ length: count }, (_, index) => from + index * step);
}

/** `+1:05`: how long after the beginning. */
export function offsetText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return `+${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** A number with at most one decimal, as SVG takes it. */
export function unit(value: number): string {
  return String(Math.round(value * 10) / 10);
}
