import test from 'ava';

import { mysqlPulse, mysqlState } from '../../src/database/mysql/read.ts';
import { type Pulse, withPulse } from '../../src/database/pulse.ts';

interface Look {
  /** Milliseconds. */
  readonly at: number;
  readonly position: number;
  /** Since the server stamped a heartbeat or a whole transaction. */
  readonly saidMs: number;
  readonly queueing?: string;
  readonly source?: string;
  /** What the state then says. */
  readonly silentMs: number | undefined;
}

const CASES: readonly { readonly name: string; readonly looks: readonly Look[] }[] = [
  {
    name: 'heartbeats alone are believed',
    looks: [
      { at: 0, position: 10, saidMs: 300, silentMs: 300 },
      { at: 1000, position: 10, saidMs: 400, silentMs: 400 },
    ],
  },
  {
    name: 'a receiver whose position moves hears its source, although no transaction ends',
    looks: [
      { at: 0, position: 10, saidMs: 900, silentMs: 900 },
      { at: 5000, position: 900, saidMs: 5900, silentMs: 0 },
      { at: 6000, position: 900, saidMs: 6900, silentMs: 1000 },
    ],
  },
  {
    name: 'the first look at one that is in the middle of a transaction says nothing of silence',
    looks: [
      { at: 0, position: 10, saidMs: 60_000, queueing: 'a:1', silentMs: undefined },
      { at: 3000, position: 900, saidMs: 63_000, queueing: 'a:2', silentMs: undefined },
    ],
  },
  {
    name: 'one event may come in for seconds, and not for ever',
    looks: [
      { at: 0, position: 10, saidMs: 60_000, queueing: 'a:1', silentMs: undefined },
      { at: 9000, position: 10, saidMs: 69_000, queueing: 'a:1', silentMs: undefined },
      { at: 12_000, position: 10, saidMs: 72_000, queueing: 'a:1', silentMs: 12_000 },
    ],
  },
  {
    name: 'where many events of one transaction came in, the next one does not take long either',
    looks: [
      { at: 0, position: 10, saidMs: 60_000, queueing: 'a:1', silentMs: undefined },
      { at: 1000, position: 900, saidMs: 61_000, queueing: 'a:1', silentMs: 0 },
      { at: 4000, position: 900, saidMs: 64_000, queueing: 'a:1', silentMs: 3000 },
      { at: 5000, position: 950, saidMs: 65_000, queueing: 'a:2', silentMs: undefined },
    ],
  },
  {
    name: 'the place in the log of another source is no news of it',
    looks: [
      { at: 0, position: 10, saidMs: 300, silentMs: 300 },
      { at: 5000, position: 4, saidMs: 5300, source: 'db2', silentMs: 5300 },
    ],
  },
];

for (const { name, looks } of CASES) {
  test(`mysql: ${name}`, (t) => {
    let pulse: Pulse | undefined;
    for (const look of looks) {
      const results = [
        [{ version: '9.7.4', executed: '', purged: '' }],
        [],
        [],
        [
          {
            Channel_Name: '',
            Source_Host: look.source ?? 'db1',
            Source_Port: 3306,
            Source_Log_File: 'binlog.000001',
            Read_Source_Log_Pos: look.position,
            Replica_IO_Running: 'Yes',
            Replica_SQL_Running: 'Yes',
            Retrieved_Gtid_Set: '',
          },
        ],
        [{ channel_name: '', silent_us: look.saidMs * 1000, ever: 1, queueing: look.queueing ?? '' }],
      ];
      pulse = mysqlPulse(results, pulse, look.at);
      const { replication } = withPulse(mysqlState(results), pulse, look.at);
      t.is(replication?.silentMs, look.silentMs, `at ${look.at}`);
    }
  });
}
