/** A Python pattern as POSIX's extended form, which grep on any target has; undefined when it cannot be said there. */
export function toExtendedRegex(pattern: string): string | undefined {
  // Look-around, names, lazy quantifiers and back references have no counterpart.
  if (/\(\?(?!:)|[*+?}]\?|\\[1-9AZbB]/.test(pattern)) return undefined;
  const classes: Readonly<Record<string, string>> = {
    '\\d': '[0-9]',
    '\\D': '[^0-9]',
    '\\s': '[[:space:]]',
    '\\S': '[^[:space:]]',
    '\\w': '[[:alnum:]_]',
    '\\W': '[^[:alnum:]_]',
    '\\t': '\t',
    '(?:': '(',
  };
  // Within brackets, escapes mean something else in both; they are refused there.
  if (/\[[^\]]*\\/.test(pattern)) return undefined;
  return pattern.replaceAll(
    /\\.|\(\?:/g,
    (part) => classes[part] ?? (/^\\[A-Za-z0-9]$/.test(part) ? part.slice(1) : part),
  );
}
