import test from 'ava';
import type { ZodType } from 'zod';

import { candidates } from '../../../src/failover/plan/candidates.ts';
import { execute } from '../../../src/failover/execute/execute.ts';
import {
  analysisJson,
  historyJson,
  planJson,
  refusalJson,
  resultJson,
  statusJson,
  stepJson,
} from '../../../src/failover/output/json.ts';
import {
  analysisSchema,
  changeLineSchema,
  historySchema,
  statusSchema,
} from '../../../src/failover/output/json-schema.ts';
import { planPromote } from '../../../src/failover/plan/promote.ts';
import { problems } from '../../../src/failover/problems/problems.ts';
import type { ChangeLine } from '../../../src/failover/output/json-schema.ts';
import type { Topology } from '../../../src/failover/cluster/topology.ts';
import { topologyText } from '../../../src/commands/failover/topology-text.ts';
import { palette } from '../../../src/report/palette.ts';
import { fakeCluster, wholeSwitchover } from '../../failover/support/fake-ports.ts';
import { NO_MEMORY, healthyState, NOW, SETTINGS, uuidOf } from '../../failover/support/topology.ts';
import { parseGtids } from '../../../src/database/gtid.ts';

/** As it is after a JSON parser has read it, since that is who must understand it. */
const isValid = (schema: ZodType, value: unknown): string | undefined => {
  const parsed = schema.safeParse(JSON.parse(JSON.stringify(value)));
  return parsed.success ? undefined : parsed.error.message;
};

const SPECS = ['db1', 'db2', 'db3'].map((name, index) => ({
  name,
  host: `web${index + 1}`,
  address: `10.0.0.${index + 1}`,
  port: 3306,
  rule: 'neutral' as const,
  dataCentre: '',
}));

/** db1 is the primary of db2; db3 is silent. */
function topology(flavour: 'mysql' | 'mariadb'): Topology {
  const executed = flavour === 'mysql' ? `${uuidOf('db1')}:1-100` : '0-1-100';
  const [db1, db2, db3] = SPECS;
  if (!db1 || !db2 || !db3) throw new Error('three instances');
  const primary = healthyState(flavour, 'db1', executed);
  return {
    cluster: 'servers',
    at: NOW,
    instances: [
      {
        spec: db1,
        kind: 'answering',
        ms: 1,
        state: { ...primary, readOnly: false, superReadOnly: false },
      },
      {
        spec: db2,
        kind: 'answering',
        ms: 1,
        state: {
          ...healthyState(flavour, 'db2', executed),
          replication: {
            sourceHost: db1.address,
            sourcePort: 3306,
            sourceUuid: primary.uuid,
            autoPosition: true,
            tls: true,
            receiver: 'on',
            applier: 'on',
            position: 'binlog.000001 4',
            received: parseGtids(flavour, executed),
            backlog: parseGtids(flavour, ''),
            silentMs: 100,
            lagSeconds: 0,
            delaySeconds: 0,
            filters: [],
            receiverError: undefined,
            applierError: undefined,
          },
        },
      },
      {
        spec: db3,
        kind: 'silent',
        ms: 1,
        silence: { kind: 'refused', alive: false, message: 'connection refused' },
      },
    ],
    balancers: [{ name: 'lb1', reachable: true, writers: ['web1'] }],
    memory: { ...NO_MEMORY, paused: { by: 'somebody', reason: 'work', at: NOW } },
  };
}

for (const flavour of ['mysql', 'mariadb'] as const) {
  test(`the status of ${flavour} has the shape of its schema`, (t) => {
    const seen = topology(flavour);
    const json = statusJson(seen, problems(seen, SETTINGS), 12.3);
    t.is(isValid(statusSchema, json), undefined);
    t.like(json, { primary: 'db1', paused: 'work' });
    t.deepEqual(
      json.instances.map(({ name, role, reachable, source }) => [name, role, reachable, source]),
      [
        ['db1', 'primary', true, null],
        ['db2', 'replica', true, 'db1'],
        ['db3', 'unknown', false, null],
      ],
    );
  });

  test(`the analysis of ${flavour} has the shape of its schema`, (t) => {
    const seen = topology(flavour);
    const json = analysisJson(seen, problems(seen, SETTINGS), candidates(seen, SETTINGS));
    t.is(isValid(analysisSchema, json), undefined);
  });

  test(`a plan or its refusals for ${flavour} have the shape of their schema`, (t) => {
    const seen = topology(flavour);
    for (const to of ['db2', 'db3', 'nobody']) {
      const planned = planPromote(seen, { to }, SETTINGS);
      const json = 'plan' in planned ? planJson(planned.plan) : refusalJson(planned.refusals, undefined);
      t.is(isValid(changeLineSchema, json), undefined, to);
      t.is(json.type, to === 'db2' ? 'plan' : 'refused');
    }
  });
}

test('the steps, the result and the journal of a change have the shapes of their schemas', async (t) => {
  const fake = fakeCluster();
  const lines: ChangeLine[] = [];
  const outcome = await execute(wholeSwitchover(), {
    cluster: fake.cluster,
    ports: fake.ports,
    lease: fake.lease,
    topology: topology('mysql'),
    who: 'tester',
    reason: 'a test',
    report: (event) => lines.push(stepJson(event)),
  });
  lines.push(resultJson(outcome, true));
  for (const line of lines) t.is(isValid(changeLineSchema, line), undefined, JSON.stringify(line));
  t.like(lines.at(-1), { type: 'result', kind: 'switchover', from: 'db1', to: 'db2', lostGtids: '' });
  for (const entry of fake.entries) t.is(isValid(historySchema, historyJson(entry)), undefined);
});

test('the tree shows replicas below their source, and each problem with its remedy', (t) => {
  const seen = topology('mysql');
  const found = problems(seen, SETTINGS);
  const text = topologyText(seen, found, palette(false));
  t.regex(text, /^servers: primary db1, epoch 1\n/);
  t.regex(text, /\ndb1 .* primary +writable /);
  t.regex(text, /\n└─ db2 .* replica +super-read-only +lag 0 s/);
  t.regex(text, /\ndb3 .*silent: connection refused/);
  t.regex(text, /\nwriters +lb1 → db1\n/);
  for (const { code, remedy } of found) {
    t.true(text.includes(code));
    t.true(text.includes(`→ ${remedy}`));
  }
});
