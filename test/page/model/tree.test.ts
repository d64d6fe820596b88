import test from 'ava';

import { replicationTree, type TreeNode } from '../../../src/page/model/tree.ts';
import { database, HEALTHY } from '../support.ts';

/** The tree as lines, those below another indented. */
function lines(nodes: readonly TreeNode[], indent = ''): readonly string[] {
  return nodes.flatMap(({ name, role, mark, replication, semiSync, below }) => [
    `${indent}${[name, role, mark, replication, semiSync]
      .filter((part) => part !== undefined)
      .map((part) => (typeof part === 'string' ? part : `${part.tone}=${part.text}`))
      .join(' | ')}`,
    ...lines(below, `${indent}  `),
  ]);
}

for (const [what, instances, expected] of [
  [
    'all is well',
    HEALTHY,
    [
      'db1 | primary | good=takes writes | good=2 acknowledge',
      '  db2 | replica | good=read-only | good=0 s behind | good=acknowledges',
      '  db3 | replica | good=read-only | good=0 s behind | good=acknowledges',
    ],
  ],
  [
    'a replica of a replica, listed before its source',
    ['db3 <db2 1:1-100', 'db2 <db1 1:1-100', 'db1 primary 1:1-100'],
    [
      'db1 | primary | good=takes writes | good=1 acknowledges',
      '  db2 | replica | good=read-only | good=0 s behind | good=acknowledges',
      '    db3 | replica | good=read-only | good=0 s behind | good=acknowledges',
    ],
  ],
  [
    'two that follow each other',
    ['db1 <db2 1:1-100', 'db2 <db1 1:1-100'],
    [
      'db1 | replica | good=read-only | good=0 s behind | good=acknowledges',
      '  db2 | replica | good=read-only | good=0 s behind | good=acknowledges',
    ],
  ],
] as const) {
  test(`the tree: ${what}`, (t) => {
    const { status } = database(instances);
    if (!status) throw new Error('a status');
    t.deepEqual(lines(replicationTree({ ...status, problems: [] })), expected);
  });
}

test('what is wrong with an instance is said where it stands', (t) => {
  const { status } = database(['db1 primary 1:1-100', 'db2 <db1~ 1:1-98', 'db3 dead=refused']);
  if (!status) throw new Error('a status');
  const [db1] = replicationTree(status);
  const below = new Map([...(db1?.below ?? []), ...replicationTree(status)].map((node) => [node.name, node]));
  t.like(below.get('db2'), {
    role: 'replica',
    replication: { tone: 'warning', text: 'receiver is connecting' },
  });
  t.like(below.get('db3'), { role: 'silent', gtids: undefined, replication: undefined });
  t.regex(below.get('db3')?.mark.text ?? '', /^silent: /);
  t.not(below.get('db3')?.mark.tone, 'good');
});

test('two that take writes are both marked', (t) => {
  const { status } = database(['db1 primary 1:1-100', 'db2 writable 1:1-100,2:1']);
  if (!status) throw new Error('a status');
  for (const node of replicationTree(status)) t.not(node.mark.tone, 'good', node.name);
});
