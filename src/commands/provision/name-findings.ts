import { UserError } from '../../lib/errors.ts';
import { judgeDns } from '../../site/dns/judge.ts';
import type { DnsSite } from './dns-site.ts';

export interface NameFindings {
  readonly names: readonly string[];
  /** What is not as it should be, a line each; that nobody could be asked is one of them. */
  readonly warnings: readonly string[];
}

/** Whether the site's names lead to it. */
export async function nameFindings(site: DnsSite): Promise<NameFindings> {
  const { names } = site.dns;
  try {
    const findings = judgeDns(site.dns, await site.ask());
    return {
      names,
      warnings: findings.map(({ name, server, message }) => `${name} at ${server}: ${message}`),
    };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { names, warnings: [error.message] };
  }
}
