const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** A host as an inventory names it, with the port that may follow. */
export interface NamedHosts {
  readonly names: readonly string[];
  readonly port?: number;
}

/** A range that makes no sense; the message is for the user. */
export class RangeProblem extends Error {}

/** `web[01:03].example.com:2222` as three names and a port. */
export function parseHostPattern(pattern: string): NamedHosts {
  const { name, port } = splitPort(pattern);
  const names = expandRange(name);
  return port === undefined ? { names } : { names, port };
}

function splitPort(pattern: string): { name: string; port?: number } {
  const bracketed = /^\[([0-9a-fA-F:.]*::?[0-9a-fA-F:.]*)\](?::(\d+))?$/.exec(pattern);
  if (bracketed && (bracketed[1] ?? '').split(':').length > 3) {
    const [, name = '', port] = bracketed;
    return port === undefined ? { name } : { name, port: Number(port) };
  }
  // One colon outside brackets is a port; more of them are an IPv6 address.
  const match = /^((?:[^:[\]]|\[[^\]]*\])+):(\d+)$/.exec(pattern);
  return match ? { name: match[1] ?? '', port: Number(match[2]) } : { name: pattern };
}

function expandRange(name: string): readonly string[] {
  const match = /^([^[]*)\[([^\]]*)\](.*)$/.exec(name);
  if (!match) return [name];
  const [, head = '', range = '', tail = ''] = match;
  const bounds = range.split(':');
  if (bounds.length < 2 || bounds.length > 3) {
    throw new RangeProblem(`expected a range [first:last] or [first:last:step], found "[${range}]"`);
  }
  const [first = '', last = '', step = '1'] = bounds;
  if (last === '') throw new RangeProblem(`the range "[${range}]" has no end`);
  if (!/^[1-9]\d*$/.test(step))
    throw new RangeProblem(`the step of the range "[${range}]" is not a positive number`);
  return sequence(first === '' ? '0' : first, last, Number(step), range).flatMap((middle) =>
    expandRange(`${head}${middle}${tail}`),
  );
}

function sequence(first: string, last: string, step: number, range: string): readonly string[] {
  const from = LETTERS.indexOf(first);
  const to = LETTERS.indexOf(last);
  if (first.length === 1 && last.length === 1 && from >= 0 && to >= 0) {
    if (from > to) throw new RangeProblem(`the range "[${range}]" ends before it begins`);
    return LETTERS.slice(from, to + 1)
      .split('')
      .filter((_, index) => index % step === 0);
  }
  if (!/^\d+$/.test(first) || !/^\d+$/.test(last)) {
    throw new RangeProblem(`a range goes from number to number or from letter to letter, found "[${range}]"`);
  }
  const isPadded = first.length > 1 && first.startsWith('0');
  if (isPadded && first.length !== last.length) {
    throw new RangeProblem(
      `the range "[${range}]" starts with a zero, so both ends must have the same length`,
    );
  }
  if (Number(first) > Number(last)) throw new RangeProblem(`the range "[${range}]" ends before it begins`);
  const result: string[] = [];
  for (let value = Number(first); value <= Number(last); value += step) {
    result.push(isPadded ? String(value).padStart(first.length, '0') : String(value));
  }
  return result;
}
