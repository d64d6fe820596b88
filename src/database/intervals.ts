/** Whole numbers from one to another, both included. */
export type Interval = readonly [number, number];

/** Sorted, and without overlaps and neighbours that touch. */
export type Intervals = readonly Interval[];

/** Sorts intervals and joins those that overlap or touch. */
export function merge(intervals: Intervals): Intervals {
  const merged: [number, number][] = [];
  for (const [from, to] of [...intervals].sort((one, other) => one[0] - other[0])) {
    const last = merged.at(-1);
    if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

/** Returns the first list without the numbers of the second. */
export function without(intervals: Intervals, taken: Intervals): Intervals {
  const left: Interval[] = [];
  let index = 0;
  for (const [from, to] of intervals) {
    let next = from;
    while (index < taken.length && (taken[index]?.[1] ?? 0) < from) index++;
    for (let at = index; at < taken.length && next <= to; at++) {
      const [takenFrom, takenTo] = taken[at] ?? [0, 0];
      if (takenFrom > to) break;
      if (takenFrom > next) left.push([next, takenFrom - 1]);
      next = Math.max(next, takenTo + 1);
    }
    if (next <= to) left.push([next, to]);
  }
  return left;
}

/** Counts the numbers in a list of intervals. */
export function sizeOf(intervals: Intervals): number {
  return intervals.reduce((total, [from, to]) => total + to - from + 1, 0);
}
