import type { Duplex } from 'node:stream';
import { type Config, NodeSSH } from 'node-ssh';
import type { Client } from 'ssh2';
import { dial } from './dial.ts';
import { dialThrough } from './jump.ts';
import { dialByCommand } from './proxy-command.ts';
import {
  entriesFor,
  fingerprint,
  type HostKeyVerdict,
  judgeHostKey,
  keyAlgorithm,
  knownHostLabel,
  readKnownHosts,
} from './known-hosts.ts';
import type { SshSettings } from './ssh-settings.ts';
import type { Endpoint } from './failure.ts';

/** One handshake each: a server shows one key at a time. */
const KINDS: readonly (readonly string[])[] = [
  ['ssh-ed25519'],
  ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521'],
  ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'],
  ['ssh-dss'],
];

/** A key that a host shows. */
export interface ShownKey {
  readonly algorithm: string;
  readonly fingerprint: string;
  readonly key: Buffer;
  readonly verdict: HostKeyVerdict;
}

/** The keys of a host, and where they belong. */
export interface ShownKeys {
  /** The name that known_hosts has for it. */
  readonly label: string;
  /** The known_hosts file to write to. */
  readonly file: string;
  readonly keys: readonly ShownKey[];
}

/** Asks a host for its keys, without trusting it or logging in. */
export async function probeHostKeys(
  settings: SshSettings,
  via: { client: Client; name: string } | undefined,
): Promise<ShownKeys> {
  const name = settings.hostKeyAlias ?? settings.address;
  const label = knownHostLabel(name, settings.hostKeyAlias === undefined ? settings.port : 22);
  const entries = entriesFor(readKnownHosts(settings.knownHostsFiles), label);
  const endpoint: Endpoint = {
    address: settings.address,
    port: settings.port,
    ...(via ? { via: via.name } : {}),
  };
  const never = new AbortController().signal;
  const shown = await Promise.all(
    KINDS.map((kind) => kind.filter((name) => settings.algorithms.serverHostKey.includes(name)))
      .filter((algorithms) => algorithms.length > 0)
      .map(async (algorithms) => {
        const socket = via
          ? await dialThrough(via.client, endpoint, settings.connectTimeoutMs, never)
          : settings.proxyCommand === undefined
            ? await dial(endpoint, settings)
            : dialByCommand(settings.proxyCommand);
        return await askFor(algorithms, socket, settings);
      }),
  );
  const keys = shown.flatMap((key): ShownKey[] => {
    if (!key) return [];
    const algorithm = keyAlgorithm(key);
    return [
      { algorithm, fingerprint: fingerprint(key), key, verdict: judgeHostKey(entries, algorithm, key) },
    ];
  });
  const file = settings.knownHostsFiles[0] ?? '/dev/null';
  return { label, file, keys };
}

/** The server's key of one kind; undefined when it has none, or is no SSH server. */
async function askFor(
  algorithms: readonly string[],
  socket: Duplex,
  settings: SshSettings,
): Promise<Buffer | undefined> {
  let shown: Buffer | undefined;
  const ssh = new NodeSSH();
  const connecting = ssh.connect({
    host: settings.address,
    sock: socket,
    username: settings.user,
    hostVerifier: (key: Buffer) => {
      shown = Buffer.from(key);
      return false;
    },
    algorithms: { ...settings.algorithms, serverHostKey: algorithms } as unknown as NonNullable<
      Config['algorithms']
    >,
    readyTimeout: settings.connectTimeoutMs,
  });
  ssh.connection?.on('error', () => {});
  // It always fails: the key is refused as soon as it is seen.
  await connecting.catch(() => {});
  socket.destroy();
  return shown;
}
