/** Quotes one word for a POSIX shell. Words of harmless characters stay as they are, so that logs read well. */
export function quote(word: string): string {
  if (word.includes('\0')) throw new RangeError('a shell word cannot contain a NUL byte');
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Quotes an argument list and joins it to a command line. */
export function command(argv: readonly string[]): string {
  return argv.map(quote).join(' ');
}
