/** A float as Python prints it: the shortest digits that give it back, always with a point or an exponent. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (Object.is(value, -0)) return '-0.0';
  const absolute = Math.abs(value);
  if (absolute !== 0 && (absolute >= 1e16 || absolute < 1e-4)) {
    const [mantissa = '', exponent = '0'] = value.toExponential().split('e');
    const number = Number(exponent);
    return `${mantissa}e${number < 0 ? '-' : '+'}${String(Math.abs(number)).padStart(2, '0')}`;
  }
  // Below 1e16 JavaScript writes the same shortest digits, without an exponent.
  const text = String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}
