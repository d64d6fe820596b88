/** What becomes of an option of ssh_config(5) here. */
export type OptionUse =
  | { readonly use: 'honoured'; readonly note?: string }
  /** It has no effect on what we do: why. */
  | { readonly use: 'harmless'; readonly why: string }
  /** What to do instead; `unless` are the values that ask for nothing. */
  | { readonly use: 'refused'; readonly remedy: string; readonly unless: readonly string[] };

const honoured = (note?: string): OptionUse => ({ use: 'honoured', ...(note === undefined ? {} : { note }) });
const harmless = (why: string): OptionUse => ({ use: 'harmless', why });
const refused = (remedy: string, ...unless: string[]): OptionUse => ({ use: 'refused', remedy, unless });

const NO_TERMINAL = 'scripts run without a terminal';
const NO_LOCAL = 'forwards nothing for the user';
const NO_X11 = 'nothing here uses X11';
const OWN_SHARING = 'a connection is shared by all tasks anyway';
const NO_QUESTION = 'nothing is asked on a terminal';
const NO_KERBEROS = 'Kerberos is not used: keys are tried, then the password';
const CERTIFICATES = 'certificates are not supported: put the key itself in authorized_keys or known_hosts';

/** Every option of ssh_config(5), as of OpenSSH 10.0 (Debian 13), by its name there. */
export const SSH_OPTIONS: Readonly<Record<string, OptionUse>> = {
  Host: honoured(),
  Match: honoured(
    'by `host`, `originalhost`, `user`, `localuser`, `exec`, `final`, `canonical` and `all`; others are refused',
  ),
  Include: honoured(),
  AddKeysToAgent: harmless('keys are read from their files each run'),
  AddressFamily: honoured(),
  BatchMode: harmless(NO_QUESTION),
  BindAddress: refused('let the routing table choose the address'),
  BindInterface: refused('let the routing table choose the interface'),
  CanonicalDomains: harmless('it counts only with CanonicalizeHostname'),
  CanonicalizeFallbackLocal: harmless('it counts only with CanonicalizeHostname'),
  CanonicalizeHostname: refused('give the full name as ansible_host', 'no'),
  CanonicalizeMaxDots: harmless('it counts only with CanonicalizeHostname'),
  CanonicalizePermittedCNAMEs: harmless('it counts only with CanonicalizeHostname'),
  CASignatureAlgorithms: harmless('certificates are not used'),
  CertificateFile: refused(CERTIFICATES, 'none'),
  ChannelTimeout: harmless('channels are closed when they are done'),
  CheckHostIP: harmless('host keys are looked up by the name that was asked for'),
  Ciphers: honoured('without it AES-GCM and AES-CTR are offered, nothing weaker'),
  ClearAllForwardings: harmless(NO_LOCAL),
  Compression: harmless('nothing is compressed, which a server has to accept'),
  ConnectionAttempts: harmless('a busy server is tried again by itself'),
  ConnectTimeout: honoured(),
  ControlMaster: harmless(OWN_SHARING),
  ControlPath: harmless(OWN_SHARING),
  ControlPersist: harmless(OWN_SHARING),
  DynamicForward: harmless(NO_LOCAL),
  EnableEscapeCommandline: harmless(NO_TERMINAL),
  EnableSSHKeysign: harmless('host-based authentication is not used'),
  EscapeChar: harmless(NO_TERMINAL),
  ExitOnForwardFailure: harmless(NO_LOCAL),
  FingerprintHash: harmless('fingerprints are shown as SHA256'),
  ForkAfterAuthentication: harmless('there is no ssh process'),
  ForwardAgent: honoured('to the login user: sudo does not hand it on'),
  ForwardX11: harmless(NO_X11),
  ForwardX11Timeout: harmless(NO_X11),
  ForwardX11Trusted: harmless(NO_X11),
  GatewayPorts: harmless(NO_LOCAL),
  GlobalKnownHostsFile: honoured(),
  GSSAPIAuthentication: harmless(NO_KERBEROS),
  GSSAPIClientIdentity: harmless(NO_KERBEROS),
  GSSAPIDelegateCredentials: harmless(NO_KERBEROS),
  GSSAPIKeyExchange: harmless('other ways to exchange keys are offered'),
  GSSAPIKexAlgorithms: harmless('other ways to exchange keys are offered'),
  GSSAPIRenewalForcesRekey: harmless(NO_KERBEROS),
  GSSAPIServerIdentity: harmless(NO_KERBEROS),
  GSSAPITrustDns: harmless(NO_KERBEROS),
  HashKnownHosts: harmless('a file whose names are hashed gets hashed ones'),
  HostbasedAcceptedAlgorithms: harmless('host-based authentication is not used'),
  HostbasedAuthentication: harmless('keys are tried, then the password'),
  HostKeyAlgorithms: honoured('the kinds in known_hosts come first; without it none uses SHA-1'),
  HostKeyAlias: honoured(),
  Hostname: honoured(),
  IdentitiesOnly: honoured(),
  IdentityAgent: honoured(),
  IdentityFile: honoured('a private key, or a public one whose private half an agent holds'),
  IgnoreUnknown: honoured(),
  IPQoS: harmless('packets are marked as the system does'),
  KbdInteractiveAuthentication: honoured('it is tried only with a password'),
  KbdInteractiveDevices: harmless('the server chooses'),
  KexAlgorithms: honoured('without it curve25519, the NIST curves and groups with SHA-2, nothing weaker'),
  KnownHostsCommand: refused('write its output to a file, and name that as UserKnownHostsFile', 'none'),
  LocalCommand: harmless('a connection runs no command on this machine'),
  LocalForward: harmless(NO_LOCAL),
  LogLevel: harmless('it is about the messages of ssh'),
  LogVerbose: harmless('it is about the messages of ssh'),
  MACs: honoured('without it HMAC-SHA2 is offered, nothing weaker'),
  NoHostAuthenticationForLocalhost: refused('record the key: provision trust', 'no'),
  NumberOfPasswordPrompts: harmless(NO_QUESTION),
  ObscureKeystrokeTiming: harmless(NO_TERMINAL),
  PasswordAuthentication: honoured('a password is tried only when one is given'),
  PermitLocalCommand: harmless('a connection runs no command on this machine'),
  PermitRemoteOpen: harmless(NO_LOCAL),
  PKCS11Provider: refused('add the token to an agent: ssh-add -s', 'none'),
  Port: honoured(),
  PreferredAuthentications: honoured('without it keys are tried first, then the password'),
  ProxyCommand: honoured('`ssh -W %h:%p HOST` is a jump host of our own; anything else is run'),
  ProxyJump: honoured(),
  ProxyUseFdpass: refused('use a ProxyCommand that relays the connection itself', 'no'),
  PubkeyAcceptedAlgorithms: honoured('by the type of the key: RSA keys sign with SHA-2 where the server can'),
  PubkeyAuthentication: honoured(),
  RefuseConnection: refused('take the host out of the inventory, or the option out of the file'),
  RekeyLimit: harmless('keys are renewed when the server asks'),
  RemoteCommand: refused('remove it for this host: scripts need the login shell', 'none'),
  RemoteForward: harmless(NO_LOCAL),
  RequestTTY: harmless(NO_TERMINAL),
  RequiredRSASize: harmless('the host’s key is in known_hosts, whatever its size'),
  RevokedHostKeys: refused('mark them with @revoked in known_hosts', 'none'),
  SecurityKeyProvider: harmless('security keys are used through an agent'),
  SendEnv: harmless('`environment` in the playbook sets variables for tasks'),
  ServerAliveCountMax: honoured(),
  ServerAliveInterval: honoured('5 seconds without it'),
  SessionType: refused('remove it for this host: scripts need the login shell', 'default'),
  SetEnv: harmless('`environment` in the playbook sets variables for tasks'),
  StdinNull: harmless('scripts are not fed from the terminal'),
  StreamLocalBindMask: harmless(NO_LOCAL),
  StreamLocalBindUnlink: harmless(NO_LOCAL),
  StrictHostKeyChecking: honoured('`no` accepts a new key, never a changed one'),
  SyslogFacility: harmless('it is about the messages of ssh'),
  Tag: refused('write the options for the host itself', ''),
  TCPKeepAlive: harmless('the connection is watched by SSH’s own messages'),
  Tunnel: refused('run ssh beside it for tunnels of your own', 'no'),
  TunnelDevice: harmless('it counts only with Tunnel'),
  UpdateHostKeys: harmless('known_hosts is changed by `provision trust` only'),
  UseKeychain: harmless('of macOS: passphrases come from the agent or the inventory'),
  User: honoured(),
  UserKnownHostsFile: honoured(),
  VerifyHostKeyDNS: refused('record the key: provision trust', 'no', 'ask'),
  VersionAddendum: harmless('it is what ssh says of itself'),
  VisualHostKey: harmless('fingerprints are shown as SHA256'),
  WarnWeakCrypto: harmless('weak algorithms are not offered'),
  XAuthLocation: harmless(NO_X11),
};

const BY_LOWER = new Map(
  Object.entries(SSH_OPTIONS).map(([name, use]) => [name.toLowerCase(), { name, use }]),
);

/** Older names that OpenSSH still takes. */
const OLD_NAMES: Readonly<Record<string, string>> = {
  challengeresponseauthentication: 'kbdinteractiveauthentication',
  dsaauthentication: 'pubkeyauthentication',
  hostbasedkeytypes: 'hostbasedacceptedalgorithms',
  pubkeyacceptedkeytypes: 'pubkeyacceptedalgorithms',
  keepalive: 'tcpkeepalive',
};

const SYNONYMS: Readonly<Record<string, string>> = { true: 'yes', false: 'no' };

/** Why a value of an option keeps us from the host; undefined when it does not. */
export function optionRefusal(name: string, value: string): string | undefined {
  const lower = name.toLowerCase();
  const found = BY_LOWER.get(OLD_NAMES[lower] ?? lower);
  if (!found) return `the option ${name} is not known; remove it, or name it in IgnoreUnknown`;
  const { use } = found;
  if (use.use !== 'refused') return undefined;
  const given = SYNONYMS[value.trim().toLowerCase()] ?? value.trim().toLowerCase();
  if (use.unless.some((harmlessValue) => harmlessValue.toLowerCase() === given)) return undefined;
  return `the option ${found.name} (${value}) is not supported; ${use.remedy}`;
}
