import { Float } from '../../lib/value.ts';
import { integer } from '../python/arithmetic.ts';
import { typeFault, type Data } from '../python/objects.ts';

const NULL = /^(?:~|null|Null|NULL|)$/;
const BOOL = /^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$/;
const FLOAT =
  /^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
const INT =
  /^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$/;
const TIMESTAMP =
  /^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?)$/;

/** What PyYAML takes a plain scalar for. */
export type ScalarKind = 'null' | 'bool' | 'float' | 'int' | 'timestamp' | 'merge' | 'value' | 'str';

export function kindOfScalar(source: string): ScalarKind {
  if (NULL.test(source)) return 'null';
  if (BOOL.test(source)) return 'bool';
  if (INT.test(source)) return 'int';
  if (FLOAT.test(source)) return 'float';
  if (TIMESTAMP.test(source)) return 'timestamp';
  if (source === '<<') return 'merge';
  if (source === '=') return 'value';
  return 'str';
}

/** A plain scalar's value by YAML 1.1, as PyYAML reads it. */
export function resolveScalar(source: string): Data {
  switch (kindOfScalar(source)) {
    case 'null':
      return null;
    case 'bool':
      return /^(?:yes|true|on)$/i.test(source);
    case 'int':
      return readInteger(source.replaceAll('_', ''));
    case 'float':
      return readFloat(source.replaceAll('_', '').toLowerCase());
    case 'timestamp':
      throw typeFault(`from_yaml: the date ${source} is not supported; quote it`);
    default:
      return source;
  }
}

function readInteger(source: string): Data {
  const negative = source.startsWith('-');
  const digits = source.replace(/^[-+]/, '');
  let value: bigint;
  if (digits.includes(':')) value = digits.split(':').reduce((total, part) => total * 60n + BigInt(part), 0n);
  else if (/^0[0-7]+$/.test(digits)) value = BigInt(`0o${digits.slice(1)}`);
  else value = BigInt(digits);
  return integer(negative ? -value : value);
}

function readFloat(source: string): Data {
  const sign = source.startsWith('-') ? -1 : 1;
  const digits = source.replace(/^[-+]/, '');
  if (digits === '.inf') return new Float(sign * Number.POSITIVE_INFINITY);
  if (digits === '.nan') return new Float(Number.NaN);
  if (digits.includes(':'))
    return new Float(sign * digits.split(':').reduce((total, part) => total * 60 + Number(part), 0));
  return new Float(sign * Number(digits));
}
