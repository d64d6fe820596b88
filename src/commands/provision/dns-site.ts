import { dirname, resolve } from 'node:path';

import { updateScript } from '../../balancer/nsupdate.ts';
import { settings } from '../../config/settings.ts';
import { loadInventory } from '../../inventory/load.ts';
import { EXIT, UserError } from '../../lib/errors.ts';
import { SecretRegistry } from '../../lib/secret.ts';
import {
  type Answer,
  type Asked,
  askScript,
  parseAnswers,
  parseServers,
  serversScript,
} from '../../site/dns/answers.ts';
import { type SiteDns, siteDnsSchema } from '../../site/dns/spec.ts';
import { sshTransport } from '../../transport/ssh.ts';
import type { Connection } from '../../transport/transport.ts';
import { ClusterReader } from '../failover/cluster-reader.ts';
import { siteVariables } from '../failover/variables.ts';
import { addressesIn } from './addresses.ts';
import type { InventoryOptions } from './options.ts';

const GROUP = 'balancers';
const VARIABLE = 'site_dns';
const NOT_FOUND = 127;
const UPDATE_SECONDS = 10;

/** The site's names: what the inventory says of them, and ways to those who have them. */
export interface DnsSite {
  readonly dns: SiteDns;
  /** The inventory's directory. */
  readonly directory: string;
  /** Asks the server that takes updates; without one, every server that is responsible for a name. */
  readonly ask: () => Promise<readonly Answer[]>;
  /** Sends one update for one name. */
  readonly update: (lines: readonly string[]) => Promise<void>;
}

/** Reads `site_dns`; undefined when the inventory has none. Rejects with all that is wrong with it. */
export function dnsSite(options: InventoryOptions): DnsSite | undefined {
  const inventory = loadInventory(options.inventory);
  const balancers = inventory.groups.get(GROUP) ?? [];
  const [first] = balancers;
  if (first === undefined) return undefined;
  const secrets = new SecretRegistry();
  const reader = new ClusterReader(
    siteVariables({
      inventory,
      playbookDirectory: dirname(resolve(settings().playbook)),
      extraVars: options.extraVariables,
      secrets,
      roles: ['keepalived'],
    }),
  );
  const dns = read(reader, first);
  reader.throwProblems();
  if (dns === undefined) return undefined;
  secrets.add(dns.update?.key_secret.reveal() ?? '');
  const output = async (connection: Connection, balancer: string, script: string): Promise<string> =>
    await scriptOutput(connection, balancer, script, (text) => secrets.redact(text));
  const addresses = addressesIn(inventory, { extraVars: options.extraVariables });
  const onBalancer = async <T>(work: (connection: Connection, name: string) => Promise<T>): Promise<T> => {
    const ssh = sshTransport({ hosts: addresses.jumpHost });
    try {
      // The first that can be reached: all of them see the same name servers.
      let failure: Error = new UserError(`no host of the group "${GROUP}" is reached by SSH`);
      for (const name of balancers) {
        const address = addresses.jumpHost(name);
        if (address === undefined) continue;
        const connection = await ssh.connect(address).catch((error: Error) => {
          failure = error;
        });
        if (connection) return await work(connection, name);
      }
      throw failure;
    } finally {
      await ssh.close();
    }
  };
  return {
    dns,
    directory: inventory.directory,
    ask: async () =>
      await onBalancer(async (connection, name) => {
        const run = async (script: string): Promise<string> => await output(connection, name, script);
        const { update, names } = dns;
        if (update !== undefined) return parseAnswers(await run(askScript(names, [update])));
        const answers: Answer[] = [];
        for (const one of names) {
          const servers = parseServers(await run(serversScript(one)));
          answers.push(
            ...(servers.length === 0
              ? [{ name: one, server: 'the resolver', status: 'NXDOMAIN', addresses: [], caa: [] }]
              : parseAnswers(
                  await run(
                    askScript(
                      [one],
                      servers.map((server): Asked => ({ server, port: 53 })),
                    ),
                  ),
                )),
          );
        }
        return answers;
      }),
    update: async (lines) => {
      const { update } = dns;
      if (update === undefined) throw new Error('an update without a server is refused before');
      const { server, port, zone, key_name, key_algorithm, key_secret } = update;
      const key = { name: key_name, algorithm: key_algorithm, secret: key_secret };
      await onBalancer(
        async (connection, name) =>
          await output(connection, name, updateScript({ server, port, zone, key }, UPDATE_SECONDS, lines)),
      );
    },
  };
}

function read(reader: ClusterReader, balancer: string): SiteDns | undefined {
  const plain = reader.plain(balancer, VARIABLE);
  if (plain === undefined) return undefined;
  const parsed = siteDnsSchema.safeParse(plain);
  if (!parsed.success) {
    for (const { path, message } of parsed.error.issues) {
      const where = path.length === 0 ? '' : `${path.map(String).join('.')}: `;
      reader.problem(balancer, VARIABLE, `${where}${message}`, 'docs/dns.md has its keys');
    }
    return undefined;
  }
  const floating = ['site_addresses', 'site_addresses6'].flatMap((name) => reader.texts(balancer, name));
  return { ...parsed.data, addresses: parsed.data.addresses ?? floating };
}

/** Runs a script there without a trace of it in the list of processes, and gives back what it printed. */
async function scriptOutput(
  connection: Connection,
  balancer: string,
  script: string,
  redact: (text: string) => string,
): Promise<string> {
  const { status, stdout, stderr, timedOut } = await connection.run('sh -s', {
    stdin: Buffer.from(`command -v nsupdate > /dev/null || exit ${NOT_FOUND}\n${script}`),
    timeoutMs: 60_000,
  });
  if (status === 0) return stdout.toString('utf8');
  if (status === NOT_FOUND) {
    throw new UserError(
      {
        message: `${balancer}: dig and nsupdate are missing (package bind9-dnsutils)`,
        hint: 'the role haproxy installs them: `provision up` first',
      },
      { exitCode: EXIT.failed },
    );
  }
  const said = redact(`${stdout.toString('utf8')}\n${stderr.toString('utf8')}`)
    .trim()
    .replaceAll(/\s*\n[;\s]*/g, '; ');
  throw new UserError(
    { message: `${balancer}: ${timedOut ? 'the name servers took too long' : said || `status ${status}`}` },
    { exitCode: EXIT.failed },
  );
}
