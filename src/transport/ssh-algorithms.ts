import { matchesNames } from './known-hosts.ts';

/** What an option of ssh_config chooses from. */
interface Choice {
  /** Offered without the option, in order. */
  readonly usual: readonly string[];
  /** Besides: what an old server may need, and only an option brings back. */
  readonly others: readonly string[];
}

/**
 * What is quick here comes first: Node has AES-GCM and X25519 in native code, while ssh2's ChaCha20 is not. Nothing
 * with SHA-1 or CBC unless it is asked for.
 */
const CHOICES = {
  kexalgorithms: {
    usual: [
      'curve25519-sha256',
      'curve25519-sha256@libssh.org',
      'ecdh-sha2-nistp256',
      'ecdh-sha2-nistp384',
      'ecdh-sha2-nistp521',
      'diffie-hellman-group14-sha256',
      'diffie-hellman-group16-sha512',
    ],
    others: [
      'diffie-hellman-group15-sha512',
      'diffie-hellman-group17-sha512',
      'diffie-hellman-group18-sha512',
      'diffie-hellman-group-exchange-sha256',
      'diffie-hellman-group14-sha1',
      'diffie-hellman-group-exchange-sha1',
      'diffie-hellman-group1-sha1',
    ],
  },
  ciphers: {
    usual: ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com', 'aes128-ctr', 'aes256-ctr'],
    others: [
      'aes192-ctr',
      'chacha20-poly1305@openssh.com',
      'aes128-cbc',
      'aes192-cbc',
      'aes256-cbc',
      '3des-cbc',
    ],
  },
  macs: {
    usual: [
      'hmac-sha2-256-etm@openssh.com',
      'hmac-sha2-512-etm@openssh.com',
      'hmac-sha2-256',
      'hmac-sha2-512',
    ],
    others: ['hmac-sha1-etm@openssh.com', 'hmac-sha1', 'hmac-sha1-96', 'hmac-md5', 'hmac-md5-96'],
  },
  hostkeyalgorithms: {
    usual: [
      'ssh-ed25519',
      'ecdsa-sha2-nistp256',
      'ecdsa-sha2-nistp384',
      'ecdsa-sha2-nistp521',
      'rsa-sha2-512',
      'rsa-sha2-256',
    ],
    others: ['ssh-rsa', 'ssh-dss'],
  },
} satisfies Readonly<Record<string, Choice>>;

export type AlgorithmOption = keyof typeof CHOICES;

/** The algorithms that one kind of option leaves, in the order in which they are offered. */
export function algorithmsFor(option: AlgorithmOption, value: string | undefined): readonly string[] {
  const { usual, others }: Choice = CHOICES[option];
  return value === undefined ? usual : chosen(value, usual, [...usual, ...others]);
}

/** All that can be chosen by an option. */
export function algorithmsOf(option: AlgorithmOption): readonly string[] {
  const { usual, others }: Choice = CHOICES[option];
  return [...usual, ...others];
}

/**
 * A list as ssh_config(5) takes it: names in the order of preference; after `+` further ones, after `-` those to leave
 * out, after `^` those to put first. What is not available is passed over, as OpenSSH does with what a server lacks.
 */
export function chosen(value: string, usual: readonly string[], available: readonly string[]): string[] {
  const [, sign = '', list = ''] = /^([-+^]?)(.*)$/.exec(value.trim()) ?? [];
  const patterns = list.split(',').map((name) => name.trim());
  if (sign === '-') return usual.filter((name) => !patterns.some((pattern) => matchesNames(pattern, name)));
  const named = patterns.flatMap((pattern) => available.filter((name) => matchesNames(pattern, name)));
  switch (sign) {
    case '+':
      return [...new Set([...usual, ...named])];
    case '^':
      return [...new Set([...named, ...usual])];
    default:
      return [...new Set(named)];
  }
}

/** Whether a key of this type may be shown to the server (PubkeyAcceptedAlgorithms). */
export function acceptsKeyType(value: string | undefined, type: string): boolean {
  if (value === undefined) return true;
  const signatures = type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'] : [type];
  // Every type is usual: an option only adds what is used anyway, or takes away.
  return chosen(value, signatures, signatures).length > 0;
}
