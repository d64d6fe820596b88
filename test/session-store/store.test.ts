import test from 'ava';

import { readMember, silentMember, type StoreMember } from '../../src/session-store/member.ts';
import { type StoreProblemCode, storeProblems } from '../../src/session-store/problems.ts';

const SENTINEL = `[sentinel]
name:sessions
ip:10.2.0.21
port:6379
flags:master
num-slaves:2
num-other-sentinels:2
quorum:2
[quorum]
OK 3 usable Sentinels. Quorum and failover authorization can be reached
`;
const PRIMARY = `[valkey]
valkey_version:8.1.1
used_memory:1082912
maxmemory:134217728
# Replication
role:master
connected_slaves:2
slave0:ip=10.2.0.22,port=6379,state=online,offset=4200,lag=0,type=replica
slave1:ip=10.2.0.23,port=6379,state=online,offset=4100,lag=1,type=replica
master_repl_offset:4200
${SENTINEL}`;
const REPLICA = `[valkey]
valkey_version:8.1.1
used_memory:1082912
maxmemory:134217728
# Replication
role:slave
master_host:10.2.0.21
master_port:6379
master_link_status:up
slave_repl_offset:4200
${SENTINEL}`;

const member = (number: number, text: string): StoreMember =>
  readMember(`web${number}`, `10.2.0.2${number}`, text.replaceAll('\n', '\r\n'));
const WELL = [member(1, PRIMARY), member(2, REPLICA), member(3, REPLICA)];
const [primary, replica] = WELL;

test('a primary says who follows it, and how far', (t) => {
  t.deepEqual(primary, {
    host: 'web1',
    address: '10.2.0.21',
    silence: undefined,
    server: {
      version: '8.1.1',
      role: 'primary',
      follows: undefined,
      followers: [
        { address: '10.2.0.22', online: true, behind: 0, lagSeconds: 0 },
        { address: '10.2.0.23', online: true, behind: 100, lagSeconds: 1 },
      ],
      usedBytes: 1_082_912,
      maxBytes: 134_217_728,
    },
    sentinel: { primary: '10.2.0.21', others: 2, hasQuorum: true },
  });
});

test('a replica says whom it follows; what does not answer is missing', (t) => {
  t.like(replica, { server: { role: 'replica', follows: { address: '10.2.0.21', isUp: true } } });
  t.like(member(1, '[valkey]\n[sentinel]\n[quorum]\n'), {
    silence: undefined,
    server: undefined,
    sentinel: undefined,
  });
});

test('nothing is wrong with a store that is well', (t) => {
  t.deepEqual(storeProblems(WELL), []);
});

const changed = (text: string, from: string | RegExp, to: string): string => {
  const other = text.replace(from, to);
  if (other === text) throw new Error(`${String(from)} is not in the text`);
  return other;
};
const WITHOUT_SENTINEL = '[sentinel]\n[quorum]\n';

const CASES: readonly (readonly [
  title: string,
  members: readonly StoreMember[],
  expected: readonly (readonly [StoreProblemCode, string?])[],
])[] = [
  ['all are replicas', [member(1, REPLICA), ...WELL.slice(1)], [['NoSessionPrimary']]],
  [
    'an old primary came back',
    [...WELL.slice(0, 2), member(3, changed(PRIMARY, /^slave.*\n/gm, ''))],
    [['SeveralSessionPrimaries']],
  ],
  [
    'a host is not reached',
    [...WELL.slice(0, 2), silentMember('web3', '10.2.0.23', 'no route')],
    [['SessionHostSilent', 'web3']],
  ],
  ['a Valkey is down', [...WELL.slice(0, 2), member(3, `[valkey]\n${SENTINEL}`)], [['ValkeyDown', 'web3']]],
  [
    'a Sentinel is down',
    [...WELL.slice(0, 2), member(3, changed(REPLICA, SENTINEL, WITHOUT_SENTINEL))],
    [['SentinelDown', 'web3']],
  ],
  [
    'two Sentinels are down',
    [
      member(1, changed(PRIMARY, /^OK .*/m, 'NOQUORUM 1 usable Sentinels.')),
      ...[2, 3].map((number) => member(number, changed(REPLICA, SENTINEL, WITHOUT_SENTINEL))),
    ],
    [['SentinelsWithoutQuorum'], ['SentinelDown', 'web2'], ['SentinelDown', 'web3']],
  ],
  [
    'a Sentinel names another primary',
    [...WELL.slice(0, 2), member(3, changed(REPLICA, 'ip:10.2.0.21', 'ip:10.2.0.22'))],
    [['SentinelsDisagree']],
  ],
  [
    'a replica is cut off',
    [...WELL.slice(0, 2), member(3, changed(REPLICA, 'status:up', 'status:down'))],
    [['SessionReplicaStopped', 'web3']],
  ],
  [
    'a replica is silent for its primary',
    [member(1, changed(PRIMARY, 'lag=1', 'lag=11')), ...WELL.slice(1)],
    [['SessionReplicaLags', 'web3']],
  ],
  [
    'a replica copies',
    [member(1, changed(PRIMARY, 'state=online,offset=4200', 'state=wait_bgsave,offset=0')), ...WELL.slice(1)],
    [['SessionReplicaLags', 'web2']],
  ],
  [
    'the memory is used up',
    [member(1, changed(PRIMARY, 'used_memory:1082912', 'used_memory:130000000')), ...WELL.slice(1)],
    [['SessionMemoryFull', 'web1']],
  ],
  [
    'the memory has no limit',
    [member(1, changed(PRIMARY, 'maxmemory:134217728', 'maxmemory:0')), ...WELL.slice(1)],
    [],
  ],
];

for (const [title, members, expected] of CASES) {
  test(`${title}: ${expected.map(([code]) => code).join(', ') || 'nothing is wrong'}`, (t) => {
    t.deepEqual(
      storeProblems(members).map(({ code, host }) => [code, host]),
      expected.map(([code, host]) => [code, host]),
    );
  });
}
