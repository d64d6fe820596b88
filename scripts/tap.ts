/** What a run of tests came to. */
export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

/** Turns the lines of AVA's TAP into lines for people, and counts. */
export class TapReader {
  readonly tally: Tally = { passed: 0, failed: 0, skipped: 0 };
  readonly failures: string[] = [];
  #inDetails = false;

  /** The line to print, or nothing for the protocol's own lines. */
  read(line: string): string | undefined {
    if (this.#inDetails) {
      if (line === '  ...') this.#inDetails = false;
      return line === '  ...' ? undefined : `    ${line}`;
    }
    if (line === '  ---') {
      this.#inDetails = true;
      return undefined;
    }
    const result = /^(not )?ok \d+ - (.*?)(?: # (SKIP|TODO).*)?$/.exec(line);
    if (result === null) {
      return /^(TAP version|1\.\.\d+$|# (tests|pass|fail|skip|todo) )|^\s*$/.test(line) ? undefined : line;
    }
    const [, not, name = '', directive] = result;
    if (directive !== undefined) {
      this.tally.skipped++;
      return `  - ${name} (skipped)`;
    }
    if (not === undefined) {
      this.tally.passed++;
      return `  ✔ ${name}`;
    }
    this.tally.failed++;
    this.failures.push(name);
    return `  ✖ ${name}`;
  }
}
