import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { poll } from '../../../../src/lib/async.ts';
import { run } from '../../../../src/lib/process.ts';
import { firstMissing, needsProgram } from '../../../needs.ts';

export const NEEDS_NAME_SERVER = firstMissing(
  needsProgram('knotd', 'knot'),
  needsProgram('nsupdate', 'bind9-dnsutils'),
);

/** A real name server on loopback, which takes updates for one zone. */
export interface NameServer {
  readonly update: {
    readonly server: string;
    readonly port: number;
    readonly key_name: string;
    readonly key_secret: string;
  };
  /** The addresses of IPv4 that it has for a name, as `dig +short` sorts them. */
  lookUp(name: string): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** Starts Knot with a zone that has these lines beside its own. */
export async function startNameServer(zone: string, records: readonly string[]): Promise<NameServer> {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-names-'));
  const port = await freePort();
  const secret = randomBytes(32).toString('base64');
  mkdirSync(join(directory, 'run'));
  writeFileSync(
    join(directory, `${zone}.zone`),
    ['$TTL 60', '@ SOA ns admin 1 3600 600 86400 60', '@ NS ns', 'ns A 127.0.0.1', ...records, ''].join('\n'),
  );
  writeFileSync(
    join(directory, 'knot.conf'),
    `server:
  listen: 127.0.0.1@${port}
  rundir: ${directory}/run
database:
  storage: ${directory}
key:
  - id: site
    algorithm: hmac-sha256
    secret: ${secret}
acl:
  - id: site
    key: site
    action: update
template:
  - id: default
    storage: ${directory}
zone:
  - domain: ${zone}
    acl: site
`,
    { mode: 0o600 },
  );
  const child = spawn('knotd', ['-c', join(directory, 'knot.conf')], { stdio: 'ignore' });
  const lookUp = async (name: string): Promise<readonly string[]> => {
    const argv = [
      'dig',
      '+short',
      '+tcp',
      '+time=2',
      '+tries=1',
      '@127.0.0.1',
      '-p',
      String(port),
      name,
      'A',
    ];
    const { stdout } = await run(argv);
    return stdout
      .split('\n')
      .filter((line) => /^[\d.]+$/.test(line))
      .toSorted();
  };
  const answers = await poll(async () => (await lookUp(`ns.${zone}`)).length > 0 || undefined, {
    everyMs: 50,
    withinMs: 20_000,
  });
  const server: NameServer = {
    update: { server: '127.0.0.1', port, key_name: 'site', key_secret: secret },
    lookUp,
    async close() {
      await ended(child);
      rmSync(directory, { recursive: true });
    },
  };
  if (answers) return server;
  await server.close();
  throw new Error('knotd does not answer');
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const over = new Promise((resolve) => child.once('exit', resolve));
  child.kill();
  await over;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => void server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
