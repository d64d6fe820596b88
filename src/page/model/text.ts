/** A piece of a sentence: words, what can be typed, or a moment, which each reader has in a time zone of his own. */
export interface Piece {
  readonly kind: 'words' | 'code' | 'time';
  readonly text: string;
}

/** Splits a sentence at its backquotes and at its moments in ISO 8601. */
export function pieces(sentence: string): readonly Piece[] {
  return sentence.split('`').flatMap((text, index): readonly Piece[] => {
    if (index % 2 === 1) return [{ kind: 'code', text }];
    return text
      .split(/(\d{4}-\d\d-\d\dT[\d:.]+Z)/)
      .map((part, place) => ({ kind: place % 2 === 1 ? ('time' as const) : ('words' as const), text: part }))
      .filter((piece) => piece.text !== '');
  });
}

/**
 * GTIDs as a reader can compare them: of each server its first letters and its last number, the one that wrote most
 * first. `3e11fa47-…:1-5021,…` becomes `3e11fa47:5021 +1`; MariaDB's are short as they are.
 */
export function shortGtids(gtids: string): string {
  if (gtids === '') return 'none';
  const sets = gtids.split(',').map((set) => {
    const match = /^\s*([0-9a-f]{8})-[0-9a-f-]+:(?:.*[-:])?(\d+)$/.exec(set);
    return match ? { text: `${match[1] ?? ''}:${match[2] ?? ''}`, last: Number(match[2]) } : undefined;
  });
  const known = sets.filter((set) => set !== undefined).sort((a, b) => b.last - a.last);
  const [first] = known;
  if (first === undefined || known.length < sets.length) return gtids;
  return known.length === 1 ? first.text : `${first.text} +${known.length - 1}`;
}

/** `3 sessions`, `1 session`. */
export function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** `84 ms`, `1.2 s`, `3 min`. */
export function span(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.round(ms / 60_000);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
