import test from 'ava';

import { nodeNote } from '../../scripts/node-note.ts';

const AGENTS: readonly (readonly [agent: string, isTold: boolean])[] = [
  ['npm/9.2.0 node/v20.19.2 linux x64 workspaces/false', true],
  ['npm/10.9.3 node/v22.18.0 linux x64 workspaces/false', true],
  ['npm/11.6.0 node/v24.21.0 linux x64 workspaces/false', false],
  ['npm/12.2.2 node/v26.12.1 linux x64 workspaces/false', false],
  ['', false],
];

for (const [agent, isTold] of AGENTS) {
  test(`npm called "${agent}" ${isTold ? 'is told' : 'needs not be told'} which Node the project runs on`, (t) => {
    const note = nodeNote(agent, '>=24');
    if (!isTold) t.is(note, undefined);
    else {
      t.is(note?.trimEnd().split('\n').length, 2);
      t.regex(
        note ?? '',
        /runs on Node\.js 24, .*EBADENGINE warnings above are about Node\.js 2[02]\.\d+\.\d+,/s,
      );
    }
  });
}
