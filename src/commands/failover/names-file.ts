import { readFileSync } from 'node:fs';

import type { RunScript } from '../../balancer/dns.ts';
import { seeAddresses } from '../../failover/reach/address-sight.ts';
import { type Problem, UserError } from '../../lib/errors.ts';
import { run } from '../../lib/process.ts';
import { SecretRegistry } from '../../lib/secret.ts';
import { namesFileSchema, type SiteDns } from '../../site/dns/spec.ts';

/** The site's names, and ways to who holds their addresses and to who is told. */
export interface WatchedNames {
  readonly dns: SiteDns;
  readonly see: (signal: AbortSignal) => Promise<ReadonlyMap<string, boolean>>;
  readonly run: RunScript;
  readonly secrets: SecretRegistry;
}

/** As the program `timeout` says it. */
const TIMED_OUT = 124;
const WRITTEN_BY = 'the role failover_watch writes it';

/** Reads what a watch on a balancer knows of the site's names, and reports all that is wrong with it at once. */
export function readNamesFile(file: string): WatchedNames {
  let plain: unknown;
  try {
    plain = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    // The parser's message quotes the text, and that holds a key.
    const why = error instanceof SyntaxError ? 'it is not JSON' : (error as Error).message;
    throw new UserError({ message: `cannot read ${file}: ${why}`, hint: WRITTEN_BY });
  }
  const parsed = namesFileSchema.safeParse(plain);
  if (!parsed.success) {
    throw new UserError(
      parsed.error.issues.map(({ path, message }): Problem => ({
        message: `${file}: ${path.map(String).join('.')}: ${message}`,
        hint: WRITTEN_BY,
      })),
    );
  }
  const { site_dns, addresses, others } = parsed.data;
  const secrets = new SecretRegistry();
  secrets.add(site_dns.update?.key_secret.reveal() ?? '');
  return {
    dns: { ...site_dns, addresses },
    see: async (signal) => await seeAddresses({ addresses, others }, signal),
    run: async (script, timeoutMs) => {
      const { status, stdout, stderr, cut } = await run(['sh'], { input: script, timeoutMs });
      return { status: cut === undefined ? status : TIMED_OUT, stdout, stderr };
    },
    secrets,
  };
}
