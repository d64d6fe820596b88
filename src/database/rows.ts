import type { Row } from './session.ts';

// How columns are read: the driver gives numbers as numbers, big ones as text, and flags as 0 and 1 or ON and OFF.

export function text(row: Row | undefined, column: string): string {
  const value = row?.[column];
  return value === null || value === undefined ? '' : String(value);
}

export function number(row: Row | undefined, column: string): number {
  return Number(row?.[column] ?? 0);
}

/** Undefined where the server says NULL. */
export function numberOrNone(row: Row | undefined, column: string): number | undefined {
  const value = row?.[column];
  return value === null || value === undefined ? undefined : Number(value);
}

export function flag(row: Row | undefined, column: string): boolean {
  return isOn(text(row, column));
}

export function isOn(value: string | undefined): boolean {
  return value !== undefined && ['1', 'on', 'yes', 'true'].includes(value.toLowerCase());
}

/** Rows of names and values, by the name in small letters. */
export function pairs(rows: readonly Row[] | undefined): ReadonlyMap<string, string> {
  return new Map(
    (rows ?? []).map((row) => {
      const [name, value] = Object.values(row);
      return [String(name).toLowerCase(), value === null ? '' : String(value)];
    }),
  );
}
