import test from 'ava';
import { UserError } from '../../src/lib/errors.ts';
import type { Value } from '../../src/lib/value.ts';
import { addressOf, becomePassword } from '../../src/variables/address.ts';
import type { HostAddress } from '../../src/transport/transport.ts';

const DEFAULTS = { hostKeyChecking: 'strict', connectTimeoutMs: 10_000 } as const;

function address(variables: Readonly<Record<string, Value>>): HostAddress | 'local' {
  const values = new Map(Object.entries(variables));
  return addressOf('web1', { get: (name) => values.get(name), names: () => values.keys() }, DEFAULTS);
}

const CASES: readonly (readonly [string, Readonly<Record<string, Value>>, Partial<HostAddress>])[] = [
  ['a host without variables is reached by its name', {}, { name: 'web1', address: 'web1' }],
  [
    "Ansible's connection variables say where and who",
    { ansible_host: '10.0.0.1', ansible_port: '2200', ansible_user: 'ops' },
    { address: '10.0.0.1', port: 2200, user: 'ops' },
  ],
  [
    'variables go before options of ssh',
    { ansible_user: 'ops', ansible_ssh_common_args: '-l joe -o Port=2200' },
    { user: 'ops', port: 2200 },
  ],
  [
    'ProxyJump names hops in a row',
    { ansible_ssh_common_args: '-o ProxyJump=ops@gate,inner:2200' },
    { jumps: ['ops@gate', 'inner:2200'], alternatives: undefined },
  ],
  [
    'a value of -o may have quotes of its own',
    { ansible_ssh_common_args: `-o ProxyCommand='ssh -o "User=x" -W %h:%p gw'` },
    { sshOptions: { proxycommand: ['ssh -o "User=x" -W %h:%p gw'] } },
  ],
  [
    'ansible_ssh_args go before the common ones',
    { ansible_ssh_common_args: '-o Port=1', ansible_ssh_args: '-o Port=2' },
    { port: 2 },
  ],
  ['ProxyJump=none is no hop', { ansible_ssh_common_args: '-J none' }, { jumps: [] }],
  [
    'understudy_jumps names jump hosts to try one after the other',
    { understudy_jumps: ['lb1', 'ops@lb2:2200'] },
    { alternatives: [['lb1'], ['ops@lb2:2200']] },
  ],
  [
    'one of understudy_jumps may be several hops',
    { understudy_jumps: ['gate, inner', ['gate2', 'inner']] },
    {
      alternatives: [
        ['gate', 'inner'],
        ['gate2', 'inner'],
      ],
    },
  ],
  [
    'options of ssh are written in any of its ways',
    {
      ansible_ssh_args:
        '-oServerAliveInterval=7 -o "ProxyCommand nc %h %p" -C -4 -L 1:2:3 -c aes128-ctr -S none',
    },
    {
      sshOptions: {
        serveraliveinterval: ['7'],
        proxycommand: ['nc %h %p'],
        addressfamily: ['inet'],
        localforward: ['1:2:3'],
        ciphers: ['aes128-ctr'],
      },
    },
  ],
  ['an empty understudy_jumps is no hop', { understudy_jumps: [] }, { alternatives: [[]] }],
];

for (const [name, variables, expected] of CASES) {
  test(name, (t) => {
    t.like(address(variables), expected);
  });
}

test('a local connection needs no address', (t) => {
  t.is(address({ ansible_connection: 'local' }), 'local');
});

const MISTAKES: readonly (readonly [Readonly<Record<string, Value>>, RegExp])[] = [
  [{ understudy_jumps: 'lb1' }, /understudy_jumps is not a list/],
  [{ understudy_jumps: ['lb1', ''] }, /understudy_jumps is not a list/],
  [{ understudy_jumps: [['lb1', 3]] }, /understudy_jumps is not a list/],
  [{ ansible_ssh_common_args: '-o StrictHostKeyChecking=no' }, /machine in the middle/],
  [{ ansible_ssh_common_args: '-o ProxyCommand' }, /not written as -o NAME=VALUE/],
  [{ ansible_ssh_common_args: '-s sftp' }, /option "-s" .* is not supported/],
  [{ ansible_connection: 'winrm' }, /expected ssh or local/],
];

for (const [variables, message] of MISTAKES) {
  test(`${JSON.stringify(variables)} is refused`, (t) => {
    t.throws(() => address(variables), { instanceOf: UserError, message });
  });
}

test('the password for another user has three names, of which the first counts', (t) => {
  const password = (variables: Readonly<Record<string, Value>>): string | undefined => {
    const values = new Map(Object.entries(variables));
    return becomePassword({ get: (name) => values.get(name), names: () => values.keys() })?.reveal();
  };
  t.is(password({}), undefined);
  t.is(password({ ansible_become_password: null }), undefined);
  t.is(password({ ansible_sudo_pass: 'a' }), 'a');
  t.is(password({ ansible_sudo_pass: 'a', ansible_become_pass: 12 }), '12');
  t.is(password({ ansible_become_pass: 'b', ansible_become_password: 'c' }), 'c');
});
