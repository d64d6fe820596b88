import type { RunScript } from '../../balancer/dns.ts';
import { updateScript } from '../../balancer/nsupdate.ts';
import { EXIT, UserError } from '../../lib/errors.ts';
import { type Answer, type Asked, askScript, parseAnswers, parseServers, serversScript } from './answers.ts';
import type { SiteDns } from './spec.ts';

// Asks name servers, and tells the one that takes updates, by dig and nsupdate on a balancer.

const NOT_FOUND = 127;
/** As the program `timeout` says it. */
const TIMED_OUT = 124;
const LIMIT_MS = 60_000;
const UPDATE_SECONDS = 10;

/** Asks the server that takes updates; without one, every server that is responsible for a name. */
export async function askNames(
  { names, update }: SiteDns,
  balancer: string,
  run: RunScript,
): Promise<readonly Answer[]> {
  const ask = async (asked: readonly string[], servers: readonly Asked[]): Promise<readonly Answer[]> =>
    parseAnswers(await outputOf(balancer, run, askScript(asked, servers)));
  if (update !== undefined) return await ask(names, [update]);
  const answers: Answer[] = [];
  for (const name of names) {
    const servers = parseServers(await outputOf(balancer, run, serversScript(name)));
    const found =
      servers.length === 0
        ? [{ name, server: 'the resolver', status: 'NXDOMAIN', addresses: [], caa: [] }]
        : await ask(
            [name],
            servers.map((server) => ({ server, port: 53 })),
          );
    answers.push(...found);
  }
  return answers;
}

/** Sends one update for one name. */
export async function updateName(
  { update }: SiteDns,
  balancer: string,
  run: RunScript,
  lines: readonly string[],
): Promise<void> {
  if (update === undefined) throw new Error('an update without a server is refused before');
  const { server, port, zone, key_name, key_algorithm, key_secret } = update;
  const key = { name: key_name, algorithm: key_algorithm, secret: key_secret };
  await outputOf(balancer, run, updateScript({ server, port, zone, key }, UPDATE_SECONDS, lines));
}

/** What a script printed; rejects with what was said instead. */
async function outputOf(balancer: string, run: RunScript, script: string): Promise<string> {
  const { status, stdout, stderr } = await run(
    `command -v nsupdate > /dev/null || exit ${NOT_FOUND}\n${script}`,
    LIMIT_MS,
  );
  if (status === 0) return stdout;
  if (status === NOT_FOUND) {
    throw new UserError(
      {
        message: `${balancer}: dig and nsupdate are missing (package bind9-dnsutils)`,
        hint: 'the role haproxy installs them where site_dns is set: `provision up` first',
      },
      { exitCode: EXIT.failed },
    );
  }
  const said = `${stdout}\n${stderr}`.trim().replaceAll(/\s*\n[;\s]*/g, '; ');
  throw new UserError(
    {
      message: `${balancer}: ${status === TIMED_OUT ? 'the name servers took too long' : said || `status ${status}`}`,
    },
    { exitCode: EXIT.failed },
  );
}
