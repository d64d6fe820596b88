import { existsSync, readFileSync, statSync } from 'node:fs';
import { isIPv6 } from 'node:net';

import { type Problem, UserError } from '../lib/errors.ts';
import { didYouMean } from '../lib/similar.ts';
import type { Inventory } from './inventory.ts';

/** Hosts that a pattern selects, and what in it selected nothing. */
export interface SelectedHosts {
  readonly hosts: string[];
  readonly warnings: readonly string[];
}

type Searchable = Pick<Inventory, 'hosts' | 'groups'>;

const LOCALHOST = ['localhost', '127.0.0.1', '::1'];

/**
 * The hosts that a play's pattern selects, in the order of the inventory, narrowed by `--limit`. A name that nothing
 * goes by gives a warning in a pattern, and is an error in the limit: there it was typed for this very run.
 */
export function selectHosts(inventory: Searchable, pattern: string, limit?: string): SelectedHosts {
  const unknown: string[] = [];
  const selected = evaluate(inventory, splitPattern(pattern), unknown);
  const warnings = unknown.map((part) => {
    const hint = didYouMean(part.replace(/^[!&]/, ''), names(inventory));
    return `the pattern "${part}" matches no host${hint === undefined ? '' : `; ${hint}`}`;
  });
  if (limit === undefined) return { hosts: selected, warnings };

  const unknownInLimit: string[] = [];
  const allowed = new Set(evaluate(inventory, limitParts(limit), unknownInLimit));
  if (unknownInLimit.length > 0) {
    throw new UserError(
      unknownInLimit.map((part): Problem => {
        const hint = didYouMean(part.replace(/^[!&]/, ''), names(inventory));
        return {
          message: `--limit: "${part}" matches no host or group of the inventory`,
          hint: hint ?? `there are ${shorten(names(inventory))}`,
        };
      }),
    );
  }
  return { hosts: selected.filter((host) => allowed.has(host)), warnings };
}

/** The parts of a pattern: separated by commas, or by colons outside brackets and addresses. */
function splitPattern(pattern: string): readonly string[] {
  const parts = pattern.includes(',')
    ? pattern.split(',')
    : isIPv6(pattern.replace(/^[!&]/, ''))
      ? [pattern]
      : (pattern.match(/(?:[^\s:[\]]|\[[^\]]*\])+/g) ?? []);
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

function limitParts(limit: string): readonly string[] {
  return splitPattern(limit).flatMap((part) => {
    if (!part.startsWith('@')) return [part];
    const file = part.slice(1);
    if (!existsSync(file) || !statSync(file).isFile()) {
      throw new UserError(`--limit: there is no file ${file}`);
    }
    return readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.startsWith('#'));
  });
}

/** Intersections come after all selections, exclusions last, wherever they are written. */
function evaluate(inventory: Searchable, parts: readonly string[], unknown: string[]): string[] {
  const kept = parts.filter((part) => !/^[!&]/.test(part));
  const intersections = parts.filter((part) => part.startsWith('&'));
  const exclusions = parts.filter((part) => part.startsWith('!'));
  const matching = (part: string): readonly string[] => {
    const found = matchOne(inventory, part.replace(/^[!&]/, ''));
    if (found === undefined) unknown.push(part);
    return found ?? [];
  };
  const chosen = new Set((kept.length === 0 ? ['all'] : kept).flatMap(matching));
  let hosts = [...chosen];
  for (const part of intersections) {
    const both = new Set(matching(part));
    hosts = hosts.filter((host) => both.has(host));
  }
  for (const part of exclusions) {
    const without = new Set(matching(part));
    hosts = hosts.filter((host) => !without.has(host));
  }
  return hosts;
}

/** The hosts of one part; undefined when nothing goes by that name. */
function matchOne(inventory: Searchable, pattern: string): readonly string[] | undefined {
  if (inventory.hosts.has(pattern)) return [pattern];
  const subscript = pattern.startsWith('~') ? null : /^(.+)\[(?:(-?\d+)|(\d+):(\d*))\]$/.exec(pattern);
  const expression = subscript?.[1] ?? pattern;
  const found = enumerate(inventory, expression);
  if (found === undefined || !subscript) return found;
  const [, , index, from, to] = subscript;
  if (index !== undefined) {
    const host = found.at(Number(index));
    return host === undefined ? undefined : [host];
  }
  const slice = found.slice(Number(from), to === '' || to === undefined ? undefined : Number(to) + 1);
  return slice.length === 0 && found.length > 0 ? undefined : slice;
}

function enumerate(inventory: Searchable, pattern: string): readonly string[] | undefined {
  const matches = matcher(pattern);
  const groups = [...inventory.groups].filter(([name]) => matches(name));
  const hosts = groups.flatMap(([, members]) => members);
  // A plain name that is a group's means the group; a pattern may match hosts as well.
  if (groups.length === 0 || /[.?*[]/.test(pattern) || pattern.startsWith('~')) {
    hosts.push(...[...inventory.hosts.keys()].filter(matches));
  }
  if (hosts.length === 0 && LOCALHOST.includes(pattern)) return ['localhost'];
  return groups.length === 0 && hosts.length === 0 && pattern !== 'all' ? undefined : [...new Set(hosts)];
}

function matcher(pattern: string): (name: string) => boolean {
  const source = pattern.startsWith('~') ? `^(?:${pattern.slice(1)})` : `^${globSource(pattern)}$`;
  try {
    const expression = new RegExp(source, 's');
    return (name) => expression.test(name);
  } catch {
    throw new UserError(`the pattern "${pattern}" is not a valid regular expression`);
  }
}

/** A shell pattern, as Python's fnmatch takes it, as a regular expression. */
function globSource(glob: string): string {
  return glob.replaceAll(
    /\[(!?)([^\]]+)\]|\*|\?|[\\^$.|+(){}[\]]/g,
    (found, not: string | undefined, set: string | undefined) => {
      if (found === '*') return '.*';
      if (found === '?') return '.';
      if (set !== undefined)
        return `[${not === '!' ? '^' : ''}${set.replaceAll('\\', '\\\\').replace(/^\^/, '\\^')}]`;
      return `\\${found}`;
    },
  );
}

function names(inventory: Searchable): readonly string[] {
  return [...inventory.groups.keys(), ...inventory.hosts.keys()];
}

function shorten(list: readonly string[]): string {
  return list.length <= 12 ? list.join(', ') : `${list.slice(0, 12).join(', ')} and ${list.length - 12} more`;
}
