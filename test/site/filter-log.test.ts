import test from 'ava';

import { type FilteredRequest, readFilterLog } from '../../src/site/filter-log.ts';

interface Message {
  readonly message: string;
  readonly details: object;
}

/** As ModSecurity 3.0.9 wrote it, with what was matched in it. */
const MATCHED: Message = {
  message: 'OS File Access Attempt',
  details: {
    match:
      "Matched \"Operator `PmFromFile' with parameter `lfi-os-files.data' against variable `ARGS:password' (Value: `/etc/passwd hunter2' )",
    reference: 'o1,10v14,11',
    ruleId: '930120',
    data: 'Matched Data: etc/passwd found within ARGS:password: /etc/passwd hunter2',
    severity: '2',
    tags: ['application-multi', 'language-multi', 'attack-lfi', 'paranoia-level/1'],
  },
};
const TOTAL: Message = {
  message: 'Inbound Anomaly Score Exceeded (Total Score: 5)',
  details: { match: "Matched \"Operator `Ge' with parameter `5'", ruleId: '949110', tags: [] },
};
const UNREADABLE: Message = {
  message: 'Failed to parse request body.',
  details: { match: "against variable `REQBODY_ERROR' (Value: `1' )", ruleId: '200002' },
};

function line(messages: readonly Message[], engine: string, status: number): string {
  return JSON.stringify({
    transaction: {
      client_ip: '203.0.113.7',
      time_stamp: 'Sun Nov 29 06:18:19 2026',
      unique_id: 'A1B2C3D4E5',
      request: { method: 'POST', http_version: 1.1, uri: '/login?q=secret' },
      response: { body: '<html>', http_code: status },
      producer: { modsecurity: 'ModSecurity v3.0.9 (Linux)', secrules_engine: engine },
      messages,
    },
  });
}

test('an entry says which request and which rules, and nothing that the visitor sent', (t) => {
  const text = `+0100\n${line([MATCHED, TOTAL], 'Enabled', 403)}\n`;
  t.deepEqual(readFilterLog(text), [
    {
      at: '2026-11-29T05:18:19.000Z',
      id: 'A1B2C3D4E5',
      client: '203.0.113.7',
      method: 'POST',
      path: '/login',
      status: 403,
      verdict: 'refused',
      rules: [
        { id: 930_120, message: 'OS File Access Attempt', where: 'ARGS:password', attack: 'attack-lfi' },
      ],
    },
  ]);
});

const VERDICTS: readonly (readonly [FilteredRequest['verdict'], readonly Message[], string, number])[] = [
  ['refused', [MATCHED, TOTAL], 'Enabled', 403],
  ['refused', [UNREADABLE], 'Enabled', 400],
  ['would be refused', [MATCHED, TOTAL], 'DetectionOnly', 200],
  ['noticed', [MATCHED], 'Enabled', 200],
  ['noticed', [MATCHED], 'DetectionOnly', 200],
];

for (const [verdict, messages, engine, status] of VERDICTS) {
  test(`${messages.map(({ message }) => message).join(', ')} with ${engine} is ${verdict}`, (t) => {
    t.is(readFilterLog(`+0000\n${line(messages, engine, status)}`)[0]?.verdict, verdict);
  });
}

test('lines that were cut off are left out, and a log without any has no entries', (t) => {
  const whole = line([MATCHED, TOTAL], 'Enabled', 403);
  t.is(readFilterLog(`+0000\n${whole.slice(40)}\n${whole}\n${whole.slice(0, 40)}`).length, 1);
  t.deepEqual(readFilterLog('+0000\n'), []);
  t.deepEqual(readFilterLog(''), []);
});
