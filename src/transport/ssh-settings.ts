import { existsSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { UserError } from '../lib/errors.ts';
import type { Secret } from '../lib/secret.ts';
import { matchesNames } from './known-hosts.ts';
import { type ConfigValue, readSshConfig, type SshConfig } from './ssh-config.ts';
import { optionRefusal } from './ssh-options.ts';
import {
  addressFamily,
  algorithms,
  authentications,
  checking,
  isYes,
  type LoginMethod,
  many,
  numberOf,
  one,
  portOf,
  secondsOf,
  type SshAlgorithms,
} from './ssh-values.ts';
import type { HostAddress, HostKeyChecking } from './transport.ts';

const DEFAULT_TIMEOUT_MS = 10_000;
const SYSTEM_CONFIG = '/etc/ssh/ssh_config';
const DEFAULT_KEYS = ['id_ed25519', 'id_ecdsa', 'id_rsa'];

/** Everything that a connection needs to know, the inventory's and the ssh configuration's word put together. */
export interface SshSettings {
  /** The inventory name. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** The keys to try, in order. `explicit` ones must be readable. */
  readonly keys: readonly { readonly file: string; readonly explicit: boolean }[];
  /** Offer only those keys, from the agent too. */
  readonly identitiesOnly: boolean;
  readonly agent: string | undefined;
  readonly password: Secret | undefined;
  readonly passphrase: Secret | undefined;
  readonly jumps: readonly string[];
  /** What known_hosts calls the host, if not by its address. */
  readonly hostKeyAlias: string | undefined;
  /** The first one is written to. */
  readonly knownHostsFiles: readonly string[];
  readonly hostKeyChecking: HostKeyChecking;
  readonly connectTimeoutMs: number;
  /** A command whose standard streams lead to the host, instead of a TCP connection. */
  readonly proxyCommand: string | undefined;
  /** How often a silent connection is asked for a sign of life; 0 for never. Undefined leaves it to the caller. */
  readonly aliveIntervalMs: number | undefined;
  readonly aliveCountMax: number | undefined;
  /** What is offered in the handshake, in order. */
  readonly algorithms: SshAlgorithms;
  /** Of PubkeyAcceptedAlgorithms: which types of key are shown to the server. */
  readonly acceptedKeys: string | undefined;
  /** The ways to log in, in the order in which they are tried. */
  readonly authentications: readonly LoginMethod[];
  /** The IP version to connect by; 0 for either. */
  readonly addressFamily: 0 | 4 | 6;
  /** The socket of the agent that is lent to the host. */
  readonly forwardedAgent: string | undefined;
}

export interface SettingsOptions {
  readonly home?: string | undefined;
  /** When neither says who to log in as; else the name of the user here. */
  readonly defaultUser?: string | undefined;
}

/** Puts the inventory and the ssh configuration together; the inventory wins. */
export function sshSettings(host: HostAddress, options: SettingsOptions = {}): SshSettings {
  const home = options.home ?? homedir();
  const config = configOf(host, home);
  refuseUnsupported(config, host);
  const address = expandTokens(one(config, 'hostname') ?? host.address, { h: host.address, '%': '%' }, host);
  const port = host.port ?? portOf(config, host) ?? 22;
  const user = host.user ?? one(config, 'user') ?? options.defaultUser ?? userInfo().username;
  const tokens = { h: address, n: host.address, p: String(port), r: user, u: userInfo().username, d: home };
  const expand = (path: string) => expandPath(path, home, tokens, host);
  const files = many(config, 'identityfile');
  const identities = files.filter((file) => file.toLowerCase() !== 'none');
  const given = [...new Set([host.privateKeyFile ?? [], identities].flat())];
  const keys =
    given.length > 0 || files.length > 0
      ? given.map((file) => ({ file: expand(file), explicit: file === host.privateKeyFile }))
      : DEFAULT_KEYS.map((name) => ({ file: join(home, '.ssh', name), explicit: false }));
  const timeout = secondsOf(config, 'connecttimeout', host);
  const aliveInterval = secondsOf(config, 'serveraliveinterval', host);
  const proxy =
    host.jumps === undefined ? proxyOf(config, host, tokens) : { jumps: host.jumps, command: undefined };
  const agent = agentSocket(one(config, 'identityagent'), expand);
  return {
    name: host.name,
    address,
    port,
    user,
    keys,
    identitiesOnly: isYes(config, 'identitiesonly', false, host),
    agent,
    password: host.password,
    passphrase: host.passphrase,
    jumps: proxy.jumps,
    proxyCommand: proxy.command,
    aliveIntervalMs: aliveInterval === undefined ? undefined : aliveInterval * 1000,
    aliveCountMax: numberOf(config, 'serveralivecountmax', host),
    algorithms: algorithms(config, host),
    acceptedKeys: one(config, 'pubkeyacceptedalgorithms') ?? one(config, 'pubkeyacceptedkeytypes'),
    authentications: authentications(config, host),
    addressFamily: addressFamily(one(config, 'addressfamily'), host),
    forwardedAgent: forwardedAgent(one(config, 'forwardagent'), agent, expand),
    hostKeyAlias: one(config, 'hostkeyalias'),
    knownHostsFiles: knownHostsFiles(host, config, expand, home),
    hostKeyChecking: host.hostKeyChecking ?? checking(one(config, 'stricthostkeychecking'), host),
    connectTimeoutMs: host.connectTimeoutMs ?? (timeout === undefined ? DEFAULT_TIMEOUT_MS : timeout * 1000),
  };
}

/** The command line goes before the user's own file, and that before the system's; a file that is named goes alone. */
function configOf(host: HostAddress, home: string): SshConfig {
  const given = commandLine(host);
  if (host.sshConfigFile === 'none') return given;
  if (host.sshConfigFile !== undefined && !existsSync(host.sshConfigFile)) {
    throw new UserError(`${host.name}: the ssh configuration ${host.sshConfigFile} does not exist`);
  }
  const files =
    host.sshConfigFile === undefined ? [join(home, '.ssh', 'config'), SYSTEM_CONFIG] : [host.sshConfigFile];
  return readSshConfig(files, {
    host: host.address,
    user: host.user,
    port: host.port,
    home,
    given,
  });
}

/** The first of ProxyJump and ProxyCommand counts. */
function proxyOf(
  config: SshConfig,
  host: HostAddress,
  tokens: Readonly<Record<string, string>>,
): { readonly jumps: readonly string[]; readonly command: string | undefined } {
  const direct = { jumps: [], command: undefined };
  const first = [...config.keys()].find((name) => name === 'proxyjump' || name === 'proxycommand');
  const jump = first === 'proxyjump' ? one(config, 'proxyjump') : undefined;
  // `ProxyJump none` keeps later ones from counting, but not a ProxyCommand.
  if (jump !== undefined && jump.toLowerCase() !== 'none') {
    return {
      jumps: jump.split(',').map((hop) => expandTokens(hop.trim(), tokens, host)),
      command: undefined,
    };
  }
  const proxy = many(config, 'proxycommand').join(' ');
  if (proxy === '' || proxy.toLowerCase() === 'none') return direct;
  const forwarding =
    /^(?:\S*\/)?ssh\s+(?:-q\s+)?(?:-W\s*\[?%h\]?:%p\s+(?:-q\s+)?(\S+)|(?:-q\s+)?([^-\s]\S*)\s+-W\s*\[?%h\]?:%p)$/.exec(
      proxy,
    );
  const hop = forwarding?.[1] ?? forwarding?.[2];
  if (hop !== undefined) return { jumps: [expandTokens(hop, tokens, host)], command: undefined };
  const unsafe = ['h', 'n', 'r'].find(
    (name) => proxy.includes(`%${name}`) && /^-|[\s'"`$\\;&<>|(){}]/.test(tokens[name] ?? ''),
  );
  if (unsafe !== undefined) {
    throw new UserError(
      `${host.name}: "${tokens[unsafe]}" has characters that mean something to the shell of ProxyCommand`,
    );
  }
  return { jumps: [], command: expandTokens(proxy, tokens, host) };
}

/** Options that take several words. */
const LISTS = new Set(['userknownhostsfile', 'globalknownhostsfile']);

/** What ssh's own options say, in `ansible_ssh_common_args` and its like. */
function commandLine(host: HostAddress): SshConfig {
  return new Map(
    Object.entries(host.sshOptions ?? {}).map(([name, values]): [string, ConfigValue] => [
      name,
      { words: LISTS.has(name) ? values.flatMap((value) => value.split(/\s+/)) : values },
    ]),
  );
}

/** An option that would be without effect is refused by its name: the user counts on it. */
function refuseUnsupported(config: SshConfig, host: HostAddress): void {
  const ignored = many(config, 'ignoreunknown').flatMap((list) => list.split(/[\s,]+/));
  const isIgnored = (name: string): boolean =>
    ignored.some((pattern) => pattern !== '' && matchesNames(pattern, name));
  const refusals = [...config].flatMap(([name, { words, location }]) => {
    const reason = isIgnored(name) ? undefined : optionRefusal(name, words.join(' '));
    return reason === undefined ? [] : [{ reason, location }];
  });
  if (refusals.length === 0) return;
  throw new UserError(
    refusals.map(({ reason, location }) => ({
      message: `${host.name}: ssh: ${reason}`,
      location,
      hint: 'docs/ssh-options.md lists what becomes of every option of ssh_config',
    })),
  );
}

/** `yes`, or the socket of another agent than the one that we ask. */
function forwardedAgent(
  value: string | undefined,
  agent: string | undefined,
  expand: (path: string) => string,
): string | undefined {
  if (value === undefined) return undefined;
  switch (value.toLowerCase()) {
    case 'no':
    case 'false':
      return undefined;
    case 'yes':
    case 'true':
      return agent;
    default:
      return /^\$\w+$/.test(value) ? process.env[value.slice(1)] : expand(value);
  }
}

function knownHostsFiles(
  host: HostAddress,
  config: SshConfig,
  expand: (path: string) => string,
  home: string,
): readonly string[] {
  const global = many(config, 'globalknownhostsfile');
  const system = global.length > 0 ? global : ['/etc/ssh/ssh_known_hosts'];
  if (host.knownHostsFile !== undefined) return [expand(host.knownHostsFile), ...system.map(expand)];
  const user = many(config, 'userknownhostsfile');
  const mine = user.length > 0 ? user : [join(home, '.ssh', 'known_hosts')];
  return [...mine, ...system].filter((file) => file.toLowerCase() !== 'none').map(expand);
}

function agentSocket(
  identityAgent: string | undefined,
  expand: (path: string) => string,
): string | undefined {
  if (identityAgent === undefined || identityAgent === 'SSH_AUTH_SOCK') return process.env['SSH_AUTH_SOCK'];
  if (identityAgent.toLowerCase() === 'none') return undefined;
  if (/^\$\w+$/.test(identityAgent)) return process.env[identityAgent.slice(1)];
  return expand(identityAgent);
}

function expandPath(
  path: string,
  home: string,
  tokens: Readonly<Record<string, string>>,
  host: HostAddress,
): string {
  const named = path.replaceAll(/\$\{(\w+)\}/g, (whole, name: string) => process.env[name] ?? whole);
  const expanded = expandTokens(named, { ...tokens, '%': '%' }, host);
  if (expanded === '~' || expanded.startsWith('~/')) return join(home, expanded.slice(1));
  if (expanded.startsWith('~')) {
    throw new UserError({
      message: `${host.name}: the ssh configuration names "${path}" in the home of another user`,
      hint: 'write the whole path',
    });
  }
  return isAbsolute(expanded) ? expanded : join(process.cwd(), expanded);
}

function expandTokens(text: string, tokens: Readonly<Record<string, string>>, host: HostAddress): string {
  return text.replaceAll(/%(.)/g, (token, name: string) => {
    const value = tokens[name] ?? (name === '%' ? '%' : undefined);
    if (value !== undefined) return value;
    throw new UserError(
      `${host.name}: the ssh configuration uses ${token} in "${text}", which is not supported`,
    );
  });
}
