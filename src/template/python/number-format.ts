/** A float in C's `e`, `f` or `g` notation with a number of digits. */
export function formatFloat(value: number, type: string, digits: number, keepZeros = false): string {
  if (!Number.isFinite(value)) {
    const text = Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
    return type === type.toUpperCase() ? text.toUpperCase() : text;
  }
  switch (type) {
    case 'f':
    case 'F':
      return fixed(value, digits);
    case 'e':
      return exponential(value, digits);
    case 'E':
      return exponential(value, digits).toUpperCase();
    case 'g':
    case 'G': {
      const text = general(value, digits === 0 ? 1 : digits, keepZeros);
      return type === 'G' ? text.toUpperCase() : text;
    }
    default:
      throw new Error(`no float notation: ${type}`);
  }
}

/** The exact value of a double: `digits` × 10^-scale. JavaScript's own rounding breaks ties upwards, Python's to even. */
function exactDecimal(absolute: number): { digits: bigint; scale: number } {
  if (Number.isInteger(absolute)) return { digits: BigInt(absolute), scale: 0 };
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, absolute);
  const bits = view.getBigUint64(0);
  const exponentBits = Number(bits >> 52n);
  const fraction = bits & 0xfffffffffffffn;
  const mantissa = exponentBits === 0 ? fraction : fraction | 0x10000000000000n;
  const scale = 1075 - Math.max(exponentBits, 1);
  return { digits: mantissa * 5n ** BigInt(scale), scale };
}

function divideToEven(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  const doubled = (dividend % divisor) * 2n;
  const up = doubled > divisor || (doubled === divisor && quotient % 2n === 1n);
  return up ? quotient + 1n : quotient;
}

/** A float with a fixed number of decimals, which may be negative: then whole tens, hundreds and so on are left. */
export function fixed(value: number, decimals: number): string {
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const { digits, scale } = exactDecimal(Math.abs(value));
  const whole =
    scale > decimals
      ? divideToEven(digits, 10n ** BigInt(scale - decimals))
      : digits * 10n ** BigInt(decimals - scale);
  if (decimals <= 0) return sign + String(whole * 10n ** BigInt(-decimals));
  const text = String(whole).padStart(decimals + 1, '0');
  return `${sign}${text.slice(0, -decimals)}.${text.slice(-decimals)}`;
}

function exponential(value: number, decimals: number): string {
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  if (value === 0) return `${sign}${(0).toFixed(decimals)}e+00`;
  const { digits, scale } = exactDecimal(Math.abs(value));
  const length = String(digits).length;
  let exponent = length - 1 - scale;
  const surplus = length - 1 - decimals;
  let rounded = String(
    surplus > 0 ? divideToEven(digits, 10n ** BigInt(surplus)) : digits * 10n ** BigInt(-surplus),
  );
  if (rounded.length > decimals + 1) {
    rounded = rounded.slice(0, -1);
    exponent++;
  }
  const mantissa = decimals > 0 ? `${rounded[0]}.${rounded.slice(1)}` : rounded;
  return `${sign}${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

function general(value: number, digits: number, keepZeros: boolean): string {
  if (value === 0) return keepZeros ? `0.${'0'.repeat(digits - 1)}` : '0';
  const exponent = Number(exponential(value, digits - 1).split('e')[1]);
  const trim = (text: string): string =>
    keepZeros || !text.includes('.') ? text : text.replace(/\.?0+$/, '');
  if (exponent < -4 || exponent >= digits) {
    const [mantissa = '', power = ''] = exponential(value, digits - 1).split('e');
    return `${trim(mantissa)}e${power}`;
  }
  return trim(fixed(value, Math.max(0, digits - 1 - exponent)));
}
