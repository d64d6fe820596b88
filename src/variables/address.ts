import { homedir } from 'node:os';
import { resolve } from 'node:path';

import { Secret } from '../lib/secret.ts';
import { UserError } from '../lib/errors.ts';
import { splitShellWords } from '../lib/shell-words.ts';
import { Float, isList, type Value } from '../lib/value.ts';
import type { HostAddress } from '../transport/transport.ts';
import type { VariableSource } from '../template/environment.ts';

export interface AddressDefaults {
  readonly hostKeyChecking: 'strict' | 'accept-new';
  readonly connectTimeoutMs: number;
}

/** How a host is reached, by Ansible's connection variables; `local` when it is this machine. */
export function addressOf(
  name: string,
  variables: VariableSource,
  defaults: AddressDefaults,
): HostAddress | 'local' {
  const text = (variable: string): string | undefined => {
    const value = variables.get(variable);
    return value === undefined || value === null ? undefined : asText(value);
  };
  const connection = text('ansible_connection') ?? 'ssh';
  if (connection === 'local') return 'local';
  if (!['ssh', 'ansible.builtin.ssh', 'smart', 'paramiko'].includes(connection)) {
    throw new UserError(`${name}: ansible_connection is "${connection}"; expected ssh or local`);
  }
  const options = sshOptions(
    [text('ansible_ssh_args'), text('ansible_ssh_common_args'), text('ansible_ssh_extra_args')].filter(
      (args) => args !== undefined,
    ),
    name,
  );
  const user = text('ansible_user') ?? text('ansible_ssh_user') ?? options.get('user');
  const key =
    text('ansible_ssh_private_key_file') ?? text('ansible_private_key_file') ?? options.get('identityfile');
  const password = text('ansible_password') ?? text('ansible_ssh_pass') ?? text('ansible_ssh_password');
  const passphrase = text('ansible_ssh_private_key_passphrase');
  const knownHosts = options.get('userknownhostsfile');
  const checking = options.get('stricthostkeychecking');
  if (checking !== undefined && /^(?:no|off|false)$/i.test(checking)) {
    throw new UserError({
      message: `${name}: StrictHostKeyChecking=no would accept any machine in the middle`,
      hint: 'use accept-new, or trust the key once with: provision trust ' + name,
    });
  }
  const port = text('ansible_port') ?? text('ansible_ssh_port') ?? options.get('port');
  const jumps = options.get('proxyjump');
  const alternatives = jumpAlternatives(name, variables.get('understudy_jumps'));
  return {
    name,
    address: text('ansible_host') ?? text('ansible_ssh_host') ?? name,
    ...(port === undefined ? {} : { port: Number(port) }),
    ...(user === undefined ? {} : { user }),
    ...(key === undefined ? {} : { privateKeyFile: expandHome(key) }),
    ...(password === undefined ? {} : { password: new Secret(password) }),
    ...(passphrase === undefined ? {} : { passphrase: new Secret(passphrase) }),
    ...(jumps === undefined
      ? {}
      : { jumps: jumps.split(',').filter((jump) => jump !== '' && jump !== 'none') }),
    ...(alternatives === undefined ? {} : { alternatives }),
    // Several files, or none, are ssh's own option to understand.
    ...(knownHosts === undefined || knownHosts === 'none' || /\s/.test(knownHosts)
      ? {}
      : { knownHostsFile: expandHome(knownHosts) }),
    hostKeyChecking: checking === 'accept-new' ? 'accept-new' : defaults.hostKeyChecking,
    ...(options.size === 0 ? {} : { sshOptions: optionValues(options) }),
    ...(options.has('configfile') ? { sshConfigFile: expandHome(options.get('configfile') ?? '') } : {}),
    connectTimeoutMs:
      Number(text('ansible_ssh_timeout') ?? text('ansible_timeout') ?? options.get('connecttimeout') ?? 0) *
        1000 || defaults.connectTimeoutMs,
  };
}

/** The password with which a host's login user becomes another one. */
export function becomePassword(variables: VariableSource): Secret | undefined {
  const value =
    variables.get('ansible_become_password') ??
    variables.get('ansible_become_pass') ??
    variables.get('ansible_sudo_pass');
  return value === undefined || value === null ? undefined : new Secret(asText(value));
}

/**
 * `understudy_jumps: [lb1, lb2]`: jump hosts to try in this order, which OpenSSH's ProxyJump has no words for. Each is
 * written as for ProxyJump, and may be several hops with commas or a list. It goes before ProxyJump; an empty list
 * means no jump host.
 */
function jumpAlternatives(
  name: string,
  value: Value | undefined,
): readonly (readonly string[])[] | undefined {
  if (value === undefined || value === null) return undefined;
  const isText = (item: Value): item is string => typeof item === 'string' && item.trim() !== '';
  const chains = isList(value)
    ? value.map((item) =>
        isText(item)
          ? item.split(',').map((hop) => hop.trim())
          : isList(item) && item.every(isText)
            ? item
            : [],
      )
    : [[]];
  if (chains.some((chain) => chain.length === 0 || chain.includes(''))) {
    throw new UserError({
      message: `${name}: understudy_jumps is not a list of jump hosts`,
      hint: 'expected hosts to try in this order, such as [lb1, lb2], each [user@]host[:port]',
    });
  }
  return chains.length === 0 ? [[]] : chains;
}

function asText(value: Value): string {
  return value instanceof Float ? String(value.value) : String(value);
}

function expandHome(path: string): string {
  if (path === 'none') return path;
  return path.startsWith('~/') ? resolve(homedir(), path.slice(2)) : resolve(path);
}

function optionValues(options: ReadonlyMap<string, string>): Readonly<Record<string, readonly string[]>> {
  const given = [...options].filter(([name]) => name !== 'configfile');
  return Object.fromEntries(given.map(([name, value]) => [name, [value]]));
}

/** The options that ssh's letters with a value stand for; what becomes of them is the same table's to say. */
const VALUES: Readonly<Record<string, string>> = {
  '-B': 'BindInterface',
  '-b': 'BindAddress',
  '-c': 'Ciphers',
  '-D': 'DynamicForward',
  '-I': 'PKCS11Provider',
  '-L': 'LocalForward',
  '-m': 'MACs',
  '-R': 'RemoteForward',
  '-w': 'TunnelDevice',
};

const MEANINGS: Readonly<Record<string, readonly [option: string, value: string]>> = {
  '-4': ['AddressFamily', 'inet'],
  '-6': ['AddressFamily', 'inet6'],
  '-A': ['ForwardAgent', 'yes'],
  '-K': ['GSSAPIDelegateCredentials', 'yes'],
  '-N': ['SessionType', 'none'],
  '-X': ['ForwardX11', 'yes'],
  '-Y': ['ForwardX11Trusted', 'yes'],
};

/** What ssh's own command-line options in `ansible_ssh_common_args` say. Those without meaning here are let pass. */
function sshOptions(lists: readonly string[], host: string): Map<string, string> {
  const options = new Map<string, string>();
  // As in ssh_config, the first value wins.
  const set = (name: string, value: string): void => {
    const key = name.toLowerCase();
    if (!options.has(key)) options.set(key, value);
  };
  for (const list of lists) {
    const words = splitShellWords(list);
    if ('problem' in words) throw new UserError(`${host}: ${words.problem} in the ssh options ${list}`);
    for (let index = 0; index < words.length; index++) {
      const word: string = words[index] ?? '';
      const flag = word.slice(0, 2);
      const value = (): string => (word.length > 2 ? word.slice(2) : (words[++index] ?? ''));
      if (flag === '-o') {
        const [, name = '', written = ''] = /^\s*(\w+)(?:\s*=\s*|\s+)(.*?)\s*$/s.exec(value()) ?? [];
        const text = /^"[^"]*"$/.test(written) ? written.slice(1, -1) : written;
        if (name === '') throw new UserError(`${host}: ssh option "${word}" is not written as -o NAME=VALUE`);
        set(name, text);
      } else if (flag === '-J') set('proxyjump', value());
      else if (flag === '-F') set('configfile', value());
      else if (flag === '-i') set('identityfile', value());
      else if (flag === '-p') set('port', value());
      else if (flag === '-l') set('user', value());
      else if (/^-[SEe]/.test(word)) value();
      else if (VALUES[flag] !== undefined) set(VALUES[flag], value());
      else if (MEANINGS[word] !== undefined) set(MEANINGS[word][0], MEANINGS[word][1]);
      else if (!/^-[aCkqTtvxn]+$/.test(word)) {
        throw new UserError(`${host}: ssh option "${word}" in ansible_ssh_common_args is not supported`);
      }
    }
  }
  return options;
}
