import { existsSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import SSHConfig from 'ssh-config';
import { UserError } from '../lib/errors.ts';
import type { Secret } from '../lib/secret.ts';
import { matchesNames } from './known-hosts.ts';
import { readSshConfig } from './ssh-include.ts';
import { optionRefusal } from './ssh-options.ts';
import type { HostAddress, HostKeyChecking } from './transport.ts';

const DEFAULT_TIMEOUT_MS = 10_000;
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
}

type Directives = Readonly<Record<string, string | readonly string[]>>;

export interface SettingsOptions {
  readonly home?: string | undefined;
  /** When neither says who to log in as; else the name of the user here. */
  readonly defaultUser?: string | undefined;
}

/** Puts the inventory and the ssh configuration together; the inventory wins. */
export function sshSettings(host: HostAddress, options: SettingsOptions = {}): SshSettings {
  const home = options.home ?? homedir();
  const config = withCommandLine(directives(host, home), host);
  refuseUnsupported(config, host);
  const address = expandTokens(one(config, 'hostname') ?? host.address, { h: host.address, '%': '%' }, host);
  const port = host.port ?? numberOf(config, 'port', host) ?? 22;
  const user = host.user ?? one(config, 'user') ?? options.defaultUser ?? userInfo().username;
  const tokens = { h: address, n: host.address, p: String(port), r: user, u: userInfo().username, d: home };
  const expand = (path: string) => expandPath(path, home, tokens, host);
  const identities = many(config, 'identityfile').filter((file) => file.toLowerCase() !== 'none');
  const given = host.privateKeyFile === undefined ? identities : [host.privateKeyFile, ...identities];
  const keys =
    given.length > 0
      ? given.map((file) => ({ file: expand(file), explicit: file === host.privateKeyFile }))
      : DEFAULT_KEYS.map((name) => ({ file: join(home, '.ssh', name), explicit: false }));
  const timeout = numberOf(config, 'connecttimeout', host);
  const aliveInterval = numberOf(config, 'serveraliveinterval', host);
  const proxy =
    host.jumps === undefined ? proxyOf(config, host, tokens) : { jumps: host.jumps, command: undefined };
  return {
    name: host.name,
    address,
    port,
    user,
    keys,
    identitiesOnly: one(config, 'identitiesonly')?.toLowerCase() === 'yes',
    agent: agentSocket(one(config, 'identityagent'), expand),
    password: host.password,
    passphrase: host.passphrase,
    jumps: proxy.jumps,
    proxyCommand: proxy.command,
    aliveIntervalMs: aliveInterval === undefined ? undefined : aliveInterval * 1000,
    aliveCountMax: numberOf(config, 'serveralivecountmax', host),
    hostKeyAlias: one(config, 'hostkeyalias'),
    knownHostsFiles: knownHostsFiles(host, config, expand, home),
    hostKeyChecking: host.hostKeyChecking ?? checking(one(config, 'stricthostkeychecking'), host),
    connectTimeoutMs: host.connectTimeoutMs ?? (timeout === undefined ? DEFAULT_TIMEOUT_MS : timeout * 1000),
  };
}

function directives(host: HostAddress, home: string): Directives {
  if (host.sshConfigFile === 'none') return {};
  const file = host.sshConfigFile ?? join(home, '.ssh', 'config');
  if (!existsSync(file)) {
    if (host.sshConfigFile === undefined) return {};
    throw new UserError(`${host.name}: the ssh configuration ${file} does not exist`);
  }
  const text = readSshConfig(file, home);
  let computed: Record<string, string | string[]>;
  try {
    computed = SSHConfig.parse(text).compute(
      { Host: host.address, ...(host.user === undefined ? {} : { User: host.user }) },
      { ignoreCase: true },
    );
  } catch (error) {
    throw new UserError(`${host.name}: the ssh configuration ${file} cannot be read`, { cause: error });
  }
  return computed;
}

function one(config: Directives, name: string): string | undefined {
  const value = config[name];
  return typeof value === 'string' ? value : value?.[0];
}

function many(config: Directives, name: string): readonly string[] {
  const value = config[name];
  return value === undefined ? [] : typeof value === 'string' ? [value] : value;
}

function numberOf(config: Directives, name: string, host: HostAddress): number | undefined {
  const text = one(config, name);
  if (text === undefined || text === 'none') return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  throw new UserError(`${host.name}: the ssh configuration says ${name} ${text}, which is not a number`);
}

function checking(value: string | undefined, host: HostAddress): HostKeyChecking {
  switch (value?.toLowerCase()) {
    case undefined:
    case 'yes':
    case 'ask':
      return 'strict';
    // Unlike OpenSSH, a changed key is refused even then; with /dev/null as the file there is no key to have changed.
    case 'no':
    case 'off':
    case 'accept-new':
      return 'accept-new';
    default:
      throw new UserError(`${host.name}: the ssh configuration says StrictHostKeyChecking ${value}`);
  }
}

/** The first of ProxyJump and ProxyCommand counts; here that is the command line's, then ProxyJump. */
function proxyOf(
  config: Directives,
  host: HostAddress,
  tokens: Readonly<Record<string, string>>,
): { readonly jumps: readonly string[]; readonly command: string | undefined } {
  const direct = { jumps: [], command: undefined };
  const commandFirst = host.sshOptions?.['proxycommand'] !== undefined && !host.sshOptions['proxyjump'];
  const jump = commandFirst ? undefined : one(config, 'proxyjump');
  if (jump !== undefined) {
    if (jump.toLowerCase() === 'none') return direct;
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

/** What ssh's command line says goes before the files; several keys are tried one after the other. */
function withCommandLine(config: Directives, host: HostAddress): Directives {
  const given = host.sshOptions ?? {};
  const merged: Record<string, string | readonly string[]> = { ...config };
  for (const [name, values] of Object.entries(given)) {
    if (name === 'identityfile') merged[name] = [...values, ...many(config, name)];
    else merged[name] = values.slice(0, 1);
  }
  return merged;
}

/** An option that would be without effect is refused by its name: the user counts on it. */
function refuseUnsupported(config: Directives, host: HostAddress): void {
  const ignored = many(config, 'ignoreunknown').flatMap((list) => list.split(/[\s,]+/));
  const isIgnored = (name: string): boolean =>
    ignored.some((pattern) => pattern !== '' && matchesNames(pattern, name));
  const reasons = Object.entries(config).flatMap(([name, value]) => {
    const text = typeof value === 'string' ? value : value.join(' ');
    const reason = isIgnored(name) ? undefined : optionRefusal(name, text);
    return reason === undefined ? [] : [reason];
  });
  if (reasons.length === 0) return;
  throw new UserError(
    reasons.map((reason) => ({
      message: `${host.name}: ssh: ${reason}`,
      hint: 'docs/ssh-options.md lists what becomes of every option of ssh_config',
    })),
  );
}

function knownHostsFiles(
  host: HostAddress,
  config: Directives,
  expand: (path: string) => string,
  home: string,
): readonly string[] {
  const global = many(config, 'globalknownhostsfile').flatMap((files) => files.split(/\s+/));
  const system = global.length > 0 ? global : ['/etc/ssh/ssh_known_hosts'];
  if (host.knownHostsFile !== undefined) return [expand(host.knownHostsFile), ...system.map(expand)];
  const user = many(config, 'userknownhostsfile').flatMap((files) => files.split(/\s+/));
  const mine = user.length > 0 ? user : [join(home, '.ssh', 'known_hosts')];
  return [...mine, ...system].filter((file) => file.toLowerCase() !== 'none').map(expand);
}

function agentSocket(
  identityAgent: string | undefined,
  expand: (path: string) => string,
): string | undefined {
  if (identityAgent === undefined || identityAgent === 'SSH_AUTH_SOCK') return process.env['SSH_AUTH_SOCK'];
  if (identityAgent.toLowerCase() === 'none') return undefined;
  if (identityAgent.startsWith('$')) return process.env[identityAgent.slice(1)];
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
