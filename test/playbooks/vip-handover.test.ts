import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test from 'ava';

import { run } from '../../src/lib/process.ts';
import { firstMissing, needsProgram, needsRoot, testWith } from '../needs.ts';

// The program that hands addresses over, on two balancers `o` and `n` and a client `c`: network namespaces with the
// kernel's own rules. What keepalived and HAProxy do, the scenarios do themselves; both are seen in the lab.

const SCRIPT = readFileSync(
  fileURLToPath(new URL('../../playbooks/roles/keepalived/templates/vip-handover.j2', import.meta.url)),
  'utf8',
);

interface Family {
  readonly vip: string;
  readonly prefix: number;
  readonly o: string;
  readonly n: string;
  readonly c: string;
}

const FAMILIES: Readonly<Record<string, Family>> = {
  IPv4: { vip: '10.9.0.100', prefix: 24, o: '10.9.0.2', n: '10.9.0.3', c: '10.9.0.1' },
  IPv6: { vip: 'fd09::100', prefix: 64, o: 'fd09::2', n: 'fd09::3', c: 'fd09::1' },
};

/** Makes the hosts, and the words that scenarios are written in. */
function preamble({ vip, prefix, o, n, c }: Family, directory: string): string {
  const nodad = vip.includes(':') ? 'nodad' : '';
  return `
set -eu
mount -t tmpfs none /run
ip link add bridge type bridge
ip link set bridge up
host() {
  ip netns add $1
  ip -n $1 link set lo up
  ip link add port-$1 type veth peer name front0 netns $1
  ip link set port-$1 master bridge up
  ip -n $1 link set front0 up
  ip -n $1 address add $2/${prefix} dev front0 ${nodad}
}
host c ${c}; host o ${o}; host n ${n}
on() { at=$1; shift; ip netns exec $at env CONFIG=${directory}/conf-$at "$@"; }
handover() { at=$1; shift; on $at sh ${directory}/handover-$at "$@"; }
# As keepalived does, and as the network hears of it.
gives() { ip -n $1 address delete ${vip}/${prefix} dev front0; }
takes() {
  ip -n $1 address add ${vip}/${prefix} dev front0 ${nodad}
  ip -n c neigh replace ${vip} dev front0 lladdr $(ip -n $1 -br link show front0 | awk '{ print $3 }')
}
for each in o n; do
  handover $each prepare
  on $each socat TCP6-LISTEN:80,fork,reuseaddr,ipv6only=0 SYSTEM:"while read -r word; do echo $each \\$word; done" &
done
for each in o n; do until on $each ss -Hltn | grep -q ':80 '; do sleep 0.05; done; done
# A connection stays open as a coprocess of the client: says A 1 prints who answers, or that nobody does.
opens() {
  mkfifo ${directory}/to-$1
  : > ${directory}/from-$1
  { on c socat -t 0.1 - 'TCP:${vip.includes(':') ? `[${vip}]` : vip}:80' < ${directory}/to-$1 >> ${directory}/from-$1 2>&1; echo closed >> ${directory}/from-$1; } &
  eval "exec $2> ${directory}/to-$1"
}
says() {
  before=$(wc -l < ${directory}/from-$1)
  grep -q closed ${directory}/from-$1 && before=0 || eval "echo $3 >&$2"
  for try in $(seq \${patience:-40}); do
    [ "$(wc -l < ${directory}/from-$1)" = "$before" ] || { echo "$1: $(tail -n 1 ${directory}/from-$1 | sed 's/.*reset.*/closed/')"; return; }
    sleep 0.05
  done
  echo "$1: nobody answers"
}
trap 'kill $(jobs -p) $(ip netns pids o) $(ip netns pids n) $(ip netns pids c) 2> /dev/null || :' EXIT
`;
}

interface Scenario {
  readonly name: string;
  /** Instance and peer have an address of the other family, too. */
  readonly bothFamilies?: true;
  readonly text: string;
  readonly expected: readonly string[];
}

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'a connection goes on at the old holder while its packets are expected, and new ones come to the new one',
    text: `
      takes o; opens A 3; says A 3 1
      handover n expect o 60 > /dev/null
      gives o; takes n
      says A 3 2; opens B 4; says B 4 1; says A 3 3; says B 4 2
      handover o expect n 60 > /dev/null
      gives n; takes o
      says A 3 4; says B 4 3`,
    expected: ['A: o 1', 'A: o 2', 'B: n 1', 'A: o 3', 'B: n 2', 'A: o 4', 'B: n 3'],
  },
  {
    name: 'what nobody has told it to expect is dropped until keepalived says who it is, and reset then',
    text: `
      takes o; opens A 3; says A 3 1
      gives o; takes n
      says A 3 2
      handover n notify INSTANCE site_1 MASTER 100
      # The client asks again, each time later.
      patience=200; says A 3 3`,
    expected: ['A: o 1', 'A: nobody answers', 'A: closed'],
  },
  {
    name: 'packets that were dropped meanwhile arrive once they are expected',
    text: `
      takes o; opens A 3; says A 3 1
      gives o; takes n
      says A 3 2
      handover n expect o 60 > /dev/null
      patience=200; says A 3 3`,
    expected: ['A: o 1', 'A: nobody answers', 'A: o 3'],
  },
  {
    name: 'a peer whose HAProxy answers is expected without being announced, until the address is lost',
    text: `
      on o socat TCP6-LISTEN:8405,fork,reuseaddr,ipv6only=0 SYSTEM:'read -r asked; echo HTTP/1.0 200 OK' &
      until on o ss -Hltn | grep -q ':8405 '; do sleep 0.05; done
      takes o; opens A 3; says A 3 1
      gives o; takes n
      handover n notify INSTANCE site_1 MASTER 100
      says A 3 2
      handover n status | sed -n 's/ [0-9]*$//; /^passes/p'
      gives n
      handover n notify INSTANCE site_1 BACKUP 100
      handover n status | sed -n '/^passes/p; /^address/p'`,
    expected: ['A: o 1', 'A: o 2', 'passes VIP o', 'address VIP free'],
  },
  {
    name: 'a connection that neither knows is reset, and its packets do not go round',
    text: `
      takes o; opens A 3; says A 3 1
      handover n expect o 60 > /dev/null; handover o expect n 60 > /dev/null
      gives o; takes n
      # The client does not hear that o has forgotten it.
      on c nft 'add table inet deaf; add chain inet deaf in { type filter hook input priority 0; policy drop; }'
      on o sh -c 'echo 1 > /proc/sys/net/netfilter/nf_conntrack_tcp_timeout_close'
      on o ss -Kt src BRACKETED > /dev/null
      sleep 1.2
      on c nft delete table inet deaf
      patience=200; says A 3 2`,
    expected: ['A: o 1', 'A: closed'],
  },
  {
    name: 'an address of the other family goes with the one that keepalived looks after',
    bothFamilies: true,
    text: `
      ip -n o address add OTHER_O dev front0; ip -n n address add OTHER_N dev front0; handover o prepare; handover n prepare
      takes o
      handover n expect o 60 | sed -n 's/ [0-9]*$//; /^passes/p'
      gives o; takes n; ip -n n address add OTHER_VIP dev front0
      handover n notify INSTANCE site_1 MASTER 100
      handover n status | sed -n '/^address/p'
      gives n; ip -n n address delete OTHER_VIP dev front0
      handover n notify INSTANCE site_1 BACKUP 100
      handover n status | sed -n '/^address/p; /^passes/p'`,
    expected: [
      'passes VIP o',
      'passes OTHER o',
      'address VIP held',
      'address OTHER held',
      'address VIP free',
      'address OTHER free',
    ],
  },
  {
    name: 'the order ends when it is taken back, and by itself',
    text: `
      handover n expect o 60 | grep -c '^passes VIP o'
      handover n expect o 0 | grep -c '^passes' || :
      handover n expect o 1 > /dev/null
      sleep 1.2
      handover n status`,
    expected: ['1', '0', 'address VIP free', 'stays', 'finishes 900', 'connections 0'],
  },
  {
    name: 'one that yields says so, and finishes only what it does not hold',
    text: `
      takes o; opens A 3; says A 3 1
      handover o finish 5 2>&1 | sed 's/,.*//' || :
      handover o yield | sed '/^open/d'
      gives o
      echo '#!/bin/sh' > DIRECTORY/reload; echo 'echo reloaded' >> DIRECTORY/reload
      { sleep 0.5; exec 3>&-; } & exec 3>&-
      handover o finish 20
      handover o stay | grep stays`,
    expected: [
      'A: o 1',
      'vip-handover: this host holds VIP and gets new connections: `vip-handover yield` first',
      'address VIP held',
      'yields',
      'finishes 900',
      'connections 1',
      'reloaded',
      'address VIP free',
      'yields',
      'finishes 900',
      'connections 0',
      'stays',
    ],
  },
  {
    name: 'who has an address is seen from both, and when nobody has it',
    bothFamilies: true,
    text: `
      ip -n o address add OTHER_O dev front0; ip -n n address add OTHER_N dev front0; handover o prepare; handover n prepare
      takes o; handover o seen; handover n seen
      gives o; handover n found 2>&1 || :`,
    expected: [
      'VIP here',
      'OTHER silent',
      'VIP answers',
      'OTHER silent',
      'vip-handover: on no balancer: VIP OTHER',
    ],
  },
  {
    name: 'what cannot be is said',
    text: `
      for wrong in 'expect lb9 5' 'expect o never' 'finish' 'dance'; do handover n $wrong 2>&1 || :; done`,
    expected: [
      "vip-handover: there is no other balancer 'lb9'; expected one of: o ",
      "vip-handover: 'never' is no number of seconds from 0 to 9999",
      "vip-handover: '' is no number of seconds from 0 to 9999",
      'vip-handover: expected: status, expect PEER SECONDS, yield, stay, finish SECONDS, seen, found, prepare or notify',
    ],
  },
];

const withNetwork = testWith(
  firstMissing(
    needsRoot(),
    needsProgram('nft', 'nftables'),
    needsProgram('ss', 'iproute2'),
    needsProgram('socat', 'socat'),
  ),
  // What is waited for here ends after fractions of a second.
  test.serial,
);

for (const [version, family] of Object.entries(FAMILIES)) {
  const other = version === 'IPv4' ? FAMILIES['IPv6'] : FAMILIES['IPv4'];
  for (const { name, text, expected, bothFamilies } of SCENARIOS) {
    withNetwork(`${version}: ${name}`, async (t) => {
      const directory = mkdtempSync(join(tmpdir(), 'understudy-handover-'));
      t.teardown(() => rmSync(directory, { recursive: true }));
      writeFileSync(join(directory, 'reload'), '#!/bin/sh\n');
      chmodSync(join(directory, 'reload'), 0o755);
      for (const [host, peer] of [
        ['o', 'n'],
        ['n', 'o'],
      ] as const) {
        mkdirSync(join(directory, `state-${host}`));
        writeFileSync(
          join(directory, `handover-${host}`),
          SCRIPT.replaceAll('/run/vip-handover', join(directory, `state-${host}`)).replaceAll(
            'systemctl reload haproxy',
            join(directory, 'reload'),
          ),
        );
        writeFileSync(
          join(directory, `conf-${host}`),
          `INTERFACE=front0\nOWN=${family[host]}\nQUIET_INTERFACES=front0\nCHECK_PORT=8405\nLONGEST_FINISH=900\nADDRESSES="site_1=${family.vip}${bothFamilies ? ` site_1=${other?.vip}` : ''}"\nPEERS="${peer}=${family[peer]}${bothFamilies ? ` ${peer}=${other?.[peer]}` : ''}"\n`,
        );
      }
      const script = `${preamble(family, directory)}${text}\n`
        .replaceAll('DIRECTORY', directory)
        .replaceAll('BRACKETED', family.vip.includes(':') ? `[${family.vip}]` : family.vip)
        .replaceAll(/OTHER_(VIP|O|N)/g, (_, which: string) => {
          const address = other?.[which.toLowerCase() as 'vip' | 'o' | 'n'];
          return `${address}/${other?.prefix}${address?.includes(':') ? ' nodad' : ''}`;
        })
        .replaceAll('VIP', family.vip);
      const { stdout, stderr, status } = await run(
        ['unshare', '--mount', '--net', '--propagation', 'private', 'bash', '-c', script],
        { timeoutMs: 120_000 },
      );
      t.deepEqual(
        stdout
          .trimEnd()
          .split('\n')
          .map((line) => line.trimEnd()),
        expected.map((line) =>
          line
            .replaceAll('VIP', family.vip)
            .replaceAll('OTHER', other?.vip ?? '')
            .trimEnd(),
        ),
        stderr,
      );
      t.is(status, 0, stderr);
    });
  }
}
