import { Float } from '../../lib/value.ts';
import type { BinaryOperator } from '../ast.ts';
import { numeric } from './compare.ts';
import { defined, isSequence, own, PythonObject, Tuple, typeFault, typeName, type Data } from './objects.ts';
import { percentFormat } from './percent-format.ts';

/** Longer results are a mistake, and would fill the memory. */
const LONGEST_RESULT = 10_000_000;

/** An integer as a number where that is exact, as a bigint otherwise. */
export function integer(value: bigint): number | bigint {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : value;
}

/** Python's binary operators. */
export function arithmetic(operator: BinaryOperator, left: Data, right: Data): Data {
  defined(left);
  defined(right);
  if (operator === '+') {
    if (typeof left === 'string' && typeof right === 'string') return left + right;
    if (isSequence(left) && isSequence(right) && left instanceof Tuple === right instanceof Tuple) {
      return left instanceof Tuple ? Tuple.containing([...left, ...right]) : own([...left, ...right]);
    }
  }
  if (operator === '%' && typeof left === 'string') return percentFormat(left, right);
  if (operator === '*') {
    const repeated = repeat(left, right) ?? repeat(right, left);
    if (repeated !== undefined) return repeated;
  }
  const x = numeric(left);
  const y = numeric(right);
  if (x !== undefined && y !== undefined) {
    if (left instanceof Float || right instanceof Float || operator === '/')
      return floats(operator, Number(x), Number(y));
    return integers(operator, x, y);
  }
  if (left instanceof PythonObject) {
    const result = left.attribute(`operator ${operator}`)?.valueOf();
    if (result instanceof PythonObject) return result.call({ positional: [right], keyword: new Map() });
  }
  const name = operator === '**' ? '** or pow()' : operator;
  if (operator === '+' && typeof left === 'string') {
    throw typeFault(`can only concatenate str (not "${typeName(right)}") to str`);
  }
  if (operator === '+' && isSequence(left)) {
    throw typeFault(`can only concatenate ${typeName(left)} (not "${typeName(right)}") to ${typeName(left)}`);
  }
  throw typeFault(`unsupported operand type(s) for ${name}: '${typeName(left)}' and '${typeName(right)}'`);
}

function repeat(sequence: Data, times: Data): Data | undefined {
  if (typeof sequence !== 'string' && !isSequence(sequence)) return undefined;
  if (typeof times !== 'number' && typeof times !== 'boolean') return undefined;
  const count = Math.max(0, Number(times));
  if (sequence.length * count > LONGEST_RESULT) throw typeFault('the result would be too long');
  if (typeof sequence === 'string') return sequence.repeat(count);
  const items: Data[] = Array.from({ length: count }, () => sequence).flat();
  return sequence instanceof Tuple ? Tuple.containing(items) : own(items);
}

function floats(operator: BinaryOperator, x: number, y: number): Data {
  switch (operator) {
    case '+':
      return new Float(x + y);
    case '-':
      return new Float(x - y);
    case '*':
      return new Float(x * y);
    case '/':
      if (y === 0) throw typeFault('division by zero');
      return new Float(x / y);
    case '//':
      if (y === 0) throw typeFault('float floor division by zero');
      return new Float(floorDivide(x, y));
    case '%':
      if (y === 0) throw typeFault('float modulo');
      return new Float(floatModulo(x, y));
    case '**':
      if (x === 0 && y < 0) throw typeFault('0.0 cannot be raised to a negative power');
      if (x < 0 && !Number.isInteger(y)) throw typeFault('complex numbers are not supported');
      return new Float(x ** y);
  }
}

function floatModulo(x: number, y: number): number {
  const rest = x % y;
  if (rest === 0) return y < 0 ? -0 : 0;
  return rest < 0 !== y < 0 ? rest + y : rest;
}

function floorDivide(x: number, y: number): number {
  const quotient = (x - floatModulo(x, y)) / y;
  if (quotient === 0) return x / y < 0 ? -0 : 0;
  const floor = Math.floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}

function integers(operator: BinaryOperator, x: number | bigint, y: number | bigint): Data {
  if (typeof x === 'number' && typeof y === 'number') {
    const quick = smallIntegers(operator, x, y);
    if (quick !== undefined && (quick instanceof Float || Number.isSafeInteger(quick))) return quick;
  }
  const a = BigInt(x);
  const b = BigInt(y);
  switch (operator) {
    case '+':
      return integer(a + b);
    case '-':
      return integer(a - b);
    case '*':
      return integer(a * b);
    case '/':
      return new Float(Number(a) / Number(b));
    case '//':
      if (b === 0n) throw typeFault('integer division or modulo by zero');
      return integer((a - modulo(a, b)) / b);
    case '%':
      if (b === 0n) throw typeFault('integer division or modulo by zero');
      return integer(modulo(a, b));
    case '**':
      if (b < 0n) return floats('**', Number(a), Number(b));
      if (b > 10_000n) throw typeFault('the result would be too long');
      return integer(a ** b);
  }
}

function modulo(a: bigint, b: bigint): bigint {
  const rest = a % b;
  return rest !== 0n && rest < 0n !== b < 0n ? rest + b : rest;
}

function smallIntegers(operator: BinaryOperator, x: number, y: number): number | Float | undefined {
  switch (operator) {
    case '+':
      return x + y;
    case '-':
      return x - y;
    case '*':
      return x * y + 0;
    case '//':
    case '%': {
      if (y === 0) throw typeFault('integer division or modulo by zero');
      const rest = x % y;
      const modulus = rest !== 0 && rest < 0 !== y < 0 ? rest + y : rest;
      return (operator === '%' ? modulus : (x - modulus) / y) + 0;
    }
    case '**':
      return y < 0 ? (floats('**', x, y) as Float) : undefined;
    case '/':
      return undefined;
  }
}

/** Unary minus and plus. */
export function signed(value: Data, negative: boolean): Data {
  const x = numeric(defined(value));
  if (x === undefined)
    throw typeFault(`bad operand type for unary ${negative ? '-' : '+'}: '${typeName(value)}'`);
  if (value instanceof Float) return negative ? new Float(-value.value) : value;
  if (!negative) return x;
  return typeof x === 'bigint' ? integer(-x) : x === 0 ? 0 : -x;
}
