/** Writes a line to the journal. */
export function log(text: string): void {
  process.stdout.write(`${text}\n`);
}
