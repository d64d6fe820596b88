import { UserError } from '../lib/errors.ts';
import { type AlgorithmOption, algorithmsFor, algorithmsOf } from './ssh-algorithms.ts';
import type { SshConfig } from './ssh-config.ts';
import type { HostAddress, HostKeyChecking } from './transport.ts';

/*
 * What values of ssh_config(5) mean. One that means nothing is refused with the name of its option.
 */

export interface SshAlgorithms {
  readonly kex: readonly string[];
  readonly cipher: readonly string[];
  readonly hmac: readonly string[];
  readonly serverHostKey: readonly string[];
  readonly compress: readonly string[];
}

export type LoginMethod = 'publickey' | 'password' | 'keyboard-interactive';

export function one(config: SshConfig, name: string): string | undefined {
  return config.get(name)?.words[0];
}

export function many(config: SshConfig, name: string): readonly string[] {
  return config.get(name)?.words ?? [];
}

export function numberOf(config: SshConfig, name: string, host: HostAddress): number | undefined {
  const text = one(config, name);
  if (text === undefined || text === 'none') return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  throw new UserError(`${host.name}: the ssh configuration says ${name} ${text}, which is not a number`);
}

const SECONDS = { '': 1, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** A time as sshd_config(5) writes it, "TIME FORMATS": `90`, `1m30s`. In seconds. */
export function secondsOf(config: SshConfig, name: string, host: HostAddress): number | undefined {
  const text = one(config, name)?.toLowerCase();
  if (text === undefined || text === 'none') return undefined;
  if (!/^(?:\d+[smhdw]?)+$/.test(text)) {
    throw new UserError(`${host.name}: the ssh configuration says ${name} ${text}; expected 90 or 1m30s`);
  }
  return [...text.matchAll(/(\d+)([smhdw]?)/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * SECONDS[unit as keyof typeof SECONDS],
    0,
  );
}

export function portOf(config: SshConfig, host: HostAddress): number | undefined {
  const port = numberOf(config, 'port', host);
  if (port === undefined || (port >= 1 && port <= 65_535)) return port;
  throw new UserError(`${host.name}: the ssh configuration says Port ${port}; expected 1 to 65535`);
}

export function isYes(config: SshConfig, name: string, otherwise: boolean, host: HostAddress): boolean {
  const value = one(config, name)?.toLowerCase();
  switch (value) {
    case undefined:
      return otherwise;
    case 'yes':
    case 'true':
      return true;
    case 'no':
    case 'false':
      return false;
    default:
      throw new UserError(`${host.name}: the ssh configuration says ${name} ${value}; expected yes or no`);
  }
}

export function addressFamily(value: string | undefined, host: HostAddress): 0 | 4 | 6 {
  switch (value?.toLowerCase()) {
    case undefined:
    case 'any':
      return 0;
    case 'inet':
      return 4;
    case 'inet6':
      return 6;
    default:
      throw new UserError(
        `${host.name}: the ssh configuration says AddressFamily ${value}; expected any, inet or inet6`,
      );
  }
}

export function checking(value: string | undefined, host: HostAddress): HostKeyChecking {
  switch (value?.toLowerCase()) {
    case undefined:
    case 'yes':
    case 'true':
    case 'ask':
      return 'strict';
    // Unlike OpenSSH, a changed key is refused even then; with /dev/null as the file there is no key to have changed.
    case 'no':
    case 'false':
    case 'off':
    case 'accept-new':
      return 'accept-new';
    default:
      throw new UserError(`${host.name}: the ssh configuration says StrictHostKeyChecking ${value}`);
  }
}

export function algorithms(config: SshConfig, host: HostAddress): SshAlgorithms {
  const offered = (option: AlgorithmOption, name: string): readonly string[] => {
    const value = one(config, option);
    const left = algorithmsFor(option, value);
    if (left.length > 0) return left;
    throw new UserError({
      message: `${host.name}: ssh: ${name} ${value} leaves nothing to offer`,
      hint: `add one of ${algorithmsOf(option).join(', ')}`,
    });
  };
  return {
    kex: offered('kexalgorithms', 'KexAlgorithms'),
    cipher: offered('ciphers', 'Ciphers'),
    hmac: offered('macs', 'MACs'),
    serverHostKey: offered('hostkeyalgorithms', 'HostKeyAlgorithms'),
    // It costs more than a local network, and ssh2 fails when a compressed connection ends under it.
    compress: ['none'],
  };
}

const LOGIN_METHODS: readonly LoginMethod[] = ['publickey', 'password', 'keyboard-interactive'];

/** Keys first, then the password, unless PreferredAuthentications has another order. */
export function authentications(config: SshConfig, host: HostAddress): readonly LoginMethod[] {
  const preferred = one(config, 'preferredauthentications');
  const order =
    preferred === undefined
      ? LOGIN_METHODS
      : preferred
          .split(',')
          .flatMap((name) => LOGIN_METHODS.filter((method) => method === name.trim().toLowerCase()));
  const keys = one(config, 'pubkeyauthentication') ?? one(config, 'dsaauthentication') ?? 'yes';
  const interactive =
    one(config, 'kbdinteractiveauthentication') === undefined
      ? 'challengeresponseauthentication'
      : 'kbdinteractiveauthentication';
  const allowed: Readonly<Record<LoginMethod, boolean>> = {
    // `unbound` and `host-bound` are ways to say yes.
    publickey: !/^(?:no|false)$/i.test(keys),
    password: isYes(config, 'passwordauthentication', true, host),
    'keyboard-interactive': isYes(config, interactive, true, host),
  };
  const left = order.filter((method) => allowed[method]);
  if (left.length > 0) return left;
  throw new UserError({
    message: `${host.name}: the ssh configuration leaves no way to log in`,
    hint: `allow one of ${LOGIN_METHODS.join(', ')} (PreferredAuthentications, …Authentication)`,
  });
}
