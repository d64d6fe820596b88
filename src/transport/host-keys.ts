import {
  entriesFor,
  fingerprint,
  judgeHostKey,
  keyAlgorithm,
  knownHostLabel,
  orderAlgorithms,
  readKnownHosts,
  updateKnownHosts,
} from './known-hosts.ts';
import type { SshSettings } from './ssh-settings.ts';
import type { TransportFailure } from './failure.ts';

/** The host key side of one handshake. */
export interface HostKeys {
  /** To offer, in order. */
  readonly algorithms: readonly string[];
  readonly verify: (key: Buffer) => boolean;
  /** Why `verify` said no. */
  readonly failure: () => TransportFailure | undefined;
  /** Writes a key that `accept-new` accepted. */
  readonly remember: () => Promise<void>;
}

/** Verifies the key of one host against its known_hosts files. */
export function hostKeys(settings: SshSettings): HostKeys {
  const name = settings.hostKeyAlias ?? settings.address;
  const label = knownHostLabel(name, settings.hostKeyAlias === undefined ? settings.port : 22);
  const all = readKnownHosts(settings.knownHostsFiles);
  const exact = entriesFor(all, label);
  // As OpenSSH does, a key known for the name without the port is good as well.
  const entries = exact.length > 0 ? exact : entriesFor(all, name.toLowerCase());
  let failure: TransportFailure | undefined;
  let accepted: Buffer | undefined;

  const verify = (key: Buffer): boolean => {
    const algorithm = keyAlgorithm(key);
    const shown = { label, algorithm, fingerprint: fingerprint(key) };
    const verdict = judgeHostKey(entries, algorithm, key);
    const changedElsewhere = verdict.kind === 'changed' && exact.length === 0;
    switch (verdict.kind) {
      case 'known':
        return true;
      case 'changed':
      case 'revoked':
        if (changedElsewhere) break;
        failure = {
          kind: verdict.kind === 'revoked' ? 'host-key-revoked' : 'host-key-changed',
          ...shown,
          known: {
            file: verdict.entry.file,
            line: verdict.entry.line,
            fingerprint: `${verdict.entry.algorithm} ${fingerprint(verdict.entry.key)}`,
          },
        };
        return false;
      case 'unknown':
        break;
    }
    if (settings.hostKeyChecking === 'accept-new') {
      accepted = Buffer.from(key);
      return true;
    }
    const notes =
      verdict.kind === 'unknown'
        ? verdict.authorities.map(
            (entry) =>
              `${entry.file}:${entry.line} names a certificate authority for it, but host certificates are not supported`,
          )
        : [];
    failure = { kind: 'host-key-unknown', ...shown, files: settings.knownHostsFiles, notes };
    return false;
  };

  return {
    algorithms: orderAlgorithms(entries, settings.algorithms.serverHostKey),
    verify,
    failure: () => failure,
    async remember() {
      const file = settings.knownHostsFiles[0];
      if (accepted && file !== undefined) await updateKnownHosts(file, label, [accepted]);
    },
  };
}
