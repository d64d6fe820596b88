import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

/** Looks at the arguments of every process of this machine, which also sees those of a lab's hosts, until it is stopped. */
export function scanArguments(secrets: readonly string[]): { stop(): Promise<ArgumentReport> } {
  const over = new AbortController();
  const found = new Set<string>();
  let looks = 0;
  const work = (async () => {
    while (!over.signal.aborted) {
      for (const id of readdirSync('/proc')) {
        if (!/^\d+$/.test(id)) continue;
        const line = argumentsOf(id);
        if (secrets.some((secret) => line.includes(secret)))
          found.add(line.replaceAll('\0', ' ').slice(0, 200));
      }
      looks++;
      await wait(100);
    }
  })();
  return {
    async stop() {
      over.abort();
      await work;
      return { looks, found: [...found] };
    },
  };
}

export interface ArgumentReport {
  readonly looks: number;
  /** The command lines that held one. */
  readonly found: readonly string[];
}

/** Nothing for a process that has ended meanwhile. */
function argumentsOf(id: string): string {
  try {
    return readFileSync(`/proc/${id}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
