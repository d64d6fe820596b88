import { holdsPrivateKey, isSecretFile } from './secret-file.ts';

/**
 * The lines around `location` with a caret below the column, as compilers print them. There is none for a file of
 * secrets, nor for a text with a private key in it.
 */
export function codeFrame(
  source: string,
  location: { readonly file: string | undefined; readonly line: number; readonly column: number },
  around = 1,
): string | undefined {
  const { file } = location;
  if ((file !== undefined && isSecretFile(file)) || holdsPrivateKey(source)) return undefined;
  const lines = source.split('\n');
  const first = Math.max(1, location.line - around);
  const last = Math.min(lines.length, location.line + around);
  const width = String(last).length;
  const out: string[] = [];
  for (let number = first; number <= last; number++) {
    const marker = number === location.line ? '>' : ' ';
    out.push(`${marker} ${String(number).padStart(width)} | ${lines[number - 1] ?? ''}`.trimEnd());
    if (number === location.line) {
      out.push(`  ${' '.repeat(width)} | ${' '.repeat(Math.max(0, location.column - 1))}^`);
    }
  }
  return out.join('\n');
}
