import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { poll } from '../../../../src/lib/async.ts';
import { run } from '../../../../src/lib/process.ts';
import { systemEnvironment } from '../../../../src/lib/system-path.ts';
import { firstMissing, needsProgram } from '../../../needs.ts';

/** Which name server; what a test needs for it. */
export const NAME_SERVERS = {
  Knot: firstMissing(needsProgram('knotd', 'knot'), needsProgram('nsupdate', 'bind9-dnsutils')),
  BIND: firstMissing(needsProgram('named', 'bind9'), needsProgram('nsupdate', 'bind9-dnsutils')),
} as const;

export type NameServerKind = keyof typeof NAME_SERVERS;

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

/** Starts it with a zone that has these lines beside its own, and whose names below it may be updated. */
export async function startNameServer(
  kind: NameServerKind,
  zone: string,
  records: readonly string[],
): Promise<NameServer> {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-names-'));
  const port = await freePort();
  const secret = randomBytes(32).toString('base64');
  const zoneFile = join(directory, `${zone}.zone`);
  writeFileSync(
    zoneFile,
    ['$TTL 60', '@ SOA ns admin 1 3600 600 86400 60', '@ NS ns', 'ns A 127.0.0.1', ...records, ''].join('\n'),
  );
  const config = join(directory, 'configuration');
  const settings = { directory, port, secret, zone, zoneFile };
  writeFileSync(config, kind === 'Knot' ? knotSettings(settings) : bindSettings(settings), { mode: 0o600 });
  const argv = kind === 'Knot' ? ['knotd', '-c', config] : ['named', '-f', '-c', config];
  const [program = '', ...args] = argv;
  const child = spawn(program, args, { stdio: 'ignore', env: systemEnvironment() });
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
  throw new Error(`${program} does not answer`);
}

interface Settings {
  readonly directory: string;
  readonly port: number;
  readonly secret: string;
  readonly zone: string;
  readonly zoneFile: string;
}

function knotSettings({ directory, port, secret, zone, zoneFile }: Settings): string {
  return `server:
  listen: 127.0.0.1@${port}
  rundir: ${directory}
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
zone:
  - domain: ${zone}
    file: ${zoneFile}
    acl: site
`;
}

/** With a key that may do no more than docs/dns.md says. */
function bindSettings({ directory, port, secret, zone, zoneFile }: Settings): string {
  return `options {
  directory "${directory}"; pid-file none; session-keyfile "${directory}/session.key";
  listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; };
  recursion no; dnssec-validation no; notify no;
};
controls { };
key site { algorithm hmac-sha256; secret "${secret}"; };
zone "${zone}" {
  type primary; file "${zoneFile}";
  update-policy { grant site name www.${zone}. A AAAA; };
};
`;
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
