import { readFileSync } from 'node:fs';
import test from 'ava';
import { optionRefusal, SSH_OPTIONS } from '../../src/transport/ssh-options.ts';

/** The options in the manual pages ssh_config(5) of Debian 12 (OpenSSH 9.2) and Debian 13 (10.0). */
const manual = JSON.parse(
  readFileSync(new URL('cases/ssh-config-options.json', import.meta.url), 'utf8'),
) as readonly string[];

test('every option of the manual page has its place', (t) => {
  const known = new Set(Object.keys(SSH_OPTIONS).map((name) => name.toLowerCase()));
  t.deepEqual(
    manual.filter((name) => !known.has(name.toLowerCase())),
    [],
  );
});

test('an option without effect is let pass, one that is not honoured is refused by its name', (t) => {
  t.is(optionRefusal('controlmaster', 'auto'), undefined);
  t.is(optionRefusal('proxyjump', 'gate'), undefined);
  t.is(optionRefusal('forwardagent', 'no'), undefined);
  t.is(optionRefusal('KeepAlive', 'yes'), undefined);
  t.regex(
    optionRefusal('bindaddress', '::1') ?? '',
    /^the option BindAddress \(::1\) is not supported; let the routing table/,
  );
  t.regex(optionRefusal('noSuchOption', 'yes') ?? '', /is not known/);
});

const COMMON = [
  'AddKeysToAgent confirm',
  'AddressFamily inet',
  'Ciphers +aes128-cbc',
  'Compression yes',
  'ControlMaster auto',
  'ControlPath ~/.ssh/%C',
  'ControlPersist 10m',
  'ForwardAgent yes',
  'ForwardX11 yes',
  'ForwardX11Trusted yes',
  'GSSAPIAuthentication yes',
  'GSSAPIDelegateCredentials yes',
  'HashKnownHosts yes',
  'HostKeyAlgorithms +ssh-rsa',
  'KexAlgorithms ^curve25519-sha256',
  'LocalForward 8080 localhost:80',
  'LogLevel ERROR',
  'MACs -hmac-sha1',
  'PreferredAuthentications publickey',
  'SendEnv LANG LC_* MY_*',
  'SetEnv TERM=xterm-256color',
  'TCPKeepAlive no',
  'UseKeychain yes',
  'VisualHostKey yes',
] as const;

for (const line of COMMON) {
  test(`nobody is kept from a host by ${line}`, (t) => {
    const [name = '', ...values] = line.split(' ');
    t.is(optionRefusal(name, values.join(' ')), undefined);
  });
}
