import { compareText, truth } from '../python/compare.ts';
import { typeFault, type Data } from '../python/objects.ts';
import { repr, str } from '../python/text.ts';

const OPERATORS: Readonly<Record<string, (order: number) => boolean>> = {
  '==': (order) => order === 0,
  '=': (order) => order === 0,
  eq: (order) => order === 0,
  '<': (order) => order < 0,
  lt: (order) => order < 0,
  '<=': (order) => order <= 0,
  le: (order) => order <= 0,
  '>': (order) => order > 0,
  gt: (order) => order > 0,
  '>=': (order) => order >= 0,
  ge: (order) => order >= 0,
  '!=': (order) => order !== 0,
  '<>': (order) => order !== 0,
  ne: (order) => order !== 0,
};

/** Ansible's `version` test. */
export function compareVersions(value: Data, other: Data, operator: Data, strict: Data, type: Data): boolean {
  if (strict !== null && type !== null) throw typeFault("Cannot specify both 'strict' and 'version_type'");
  if (!truth(value)) throw typeFault('Input version value cannot be empty');
  if (!truth(other)) throw typeFault('Version parameter to compare against cannot be empty');
  const holds =
    typeof operator === 'string' && Object.hasOwn(OPERATORS, operator) ? OPERATORS[operator] : undefined;
  if (!holds)
    throw typeFault(
      `Invalid operator type (${str(operator)}). Must be one of ${Object.keys(OPERATORS).map(repr).join(', ')}`,
    );
  const kind = type === null ? (strict !== null && truth(strict) ? 'strict' : 'loose') : str(type);
  return holds(orderOf(kind, str(value), str(other)));
}

function orderOf(kind: string, a: string, b: string): number {
  switch (kind) {
    case 'loose':
      return compareLoose(a, b);
    case 'strict':
      return compareStrict(a, b);
    case 'semver':
    case 'semantic':
      return compareSemantic(a, b);
    case 'pep440':
      throw typeFault('the version_type "pep440" is not supported');
    default:
      throw typeFault(
        `Invalid version type (${kind}). Must be one of 'loose', 'strict', 'semver', 'semantic', 'pep440'`,
      );
  }
}

type Part = number | string;

/** Numbers and words, without dots. */
function looseParts(version: string): Part[] {
  return version
    .split(/(\d+|[a-z]+|\.)/)
    .filter((part) => part !== '' && part !== '.')
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

function compareLoose(a: string, b: string): number {
  const left = looseParts(a);
  const right = looseParts(b);
  for (let index = 0; index < left.length && index < right.length; index++) {
    const x = left[index]!;
    const y = right[index]!;
    if (typeof x !== typeof y) {
      throw typeFault(
        `Version comparison failed: '<' not supported between instances of '${typeof x === 'number' ? 'int' : 'str'}' and '${typeof y === 'number' ? 'int' : 'str'}'`,
      );
    }
    const order = typeof x === 'number' ? x - (y as number) : compareText(x, y as string);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function compareStrict(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => {
    const match = /^(\d+)\.(\d+)(?:\.(\d+))?(?:([ab])(\d+))?$/.exec(version);
    if (!match) throw typeFault(`Version comparison failed: invalid version number '${version}'`);
    const [, major, minor, patch, letter, pre] = match;
    // A pre-release is before the release.
    return [
      Number(major),
      Number(minor),
      Number(patch ?? 0),
      letter === undefined ? 2 : letter === 'b' ? 1 : 0,
      Number(pre ?? 0),
    ];
  });
  return compareNumbers(left!, right!);
}

function compareNumbers(a: readonly number[], b: readonly number[]): number {
  for (const [index, one] of a.entries()) if (one !== b[index]) return one - b[index]!;
  return 0;
}

const SEMANTIC =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?$/;

function compareSemantic(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => {
    const match = SEMANTIC.exec(version);
    if (!match) throw typeFault(`Version comparison failed: invalid semantic version '${version}'`);
    return { core: [Number(match[1]), Number(match[2]), Number(match[3])], pre: match[4]?.split('.') };
  });
  const core = compareNumbers(left!.core, right!.core);
  if (core !== 0) return core;
  const { pre: x } = left!;
  const { pre: y } = right!;
  if (!x || !y) return x ? -1 : y ? 1 : 0;
  for (let index = 0; index < x.length && index < y.length; index++) {
    const order = comparePre(x[index]!, y[index]!);
    if (order !== 0) return order;
  }
  return x.length - y.length;
}

function comparePre(a: string, b: string): number {
  const x = /^\d+$/.test(a);
  const y = /^\d+$/.test(b);
  if (x && y) return Number(a) - Number(b);
  if (x !== y) return x ? -1 : 1;
  return compareText(a, b);
}
