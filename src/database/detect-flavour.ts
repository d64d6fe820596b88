import { ServerFailure } from './failure.ts';
import { serverLimitation } from './limitation.ts';
import { text } from './rows.ts';
import type { Limits } from './server.ts';
import type { ServerOptions } from './server-options.ts';
import { Sessions } from './sessions.ts';
import { type Flavour, parseVersion } from './version.ts';

/** Which of the two a server is that nobody has said anything about yet. One of another product is refused here. */
export async function detectFlavour(
  options: Pick<
    ServerOptions,
    'name' | 'address' | 'port' | 'dial' | 'accounts' | 'tls' | 'connectTimeoutMs'
  >,
  limits: Limits,
): Promise<Flavour> {
  const sessions = new Sessions({ ...options, account: options.accounts.failover });
  try {
    return await sessions.with(limits, async (session) => {
      const doing = 'asking what it is';
      const sql = 'SELECT @@version AS version, @@version_comment AS comment';
      const [row] = await session.rows(doing, sql, [], limits);
      const versionText = text(row, 'version');
      const version = parseVersion(versionText);
      const variables = new Map([['version_comment', text(row, 'comment')]]);
      const limitation = serverLimitation({ versionText, version, variables, groupMembers: [] });
      if (limitation === undefined && version !== undefined) return version.flavour;
      const message = limitation ?? `says that its version is "${versionText}"`;
      throw new ServerFailure(options.name, doing, { kind: 'unsupported', alive: true, message });
    });
  } finally {
    sessions.close();
  }
}
