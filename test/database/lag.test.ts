import test from 'ava';

import { mariadbState } from '../../src/database/mariadb/read.ts';
import { mysqlState } from '../../src/database/mysql/read.ts';

const UUID = '3e11fa47-71ca-11e1-9e33-c80aa9429562';

interface Lag {
  readonly name: string;
  /** What the server says itself. */
  readonly said: number | null;
  readonly received: string;
  readonly executed: string;
  /** The age of the oldest transaction that is being applied: MySQL only. */
  readonly applyingUs?: number | null;
  readonly lag: number | undefined;
}

const MYSQL: readonly Lag[] = [
  {
    name: 'caught up right after it began to follow: what the server says is the age of its source',
    said: 86_400,
    received: '1-10',
    executed: '1-10',
    lag: 0,
  },
  { name: 'caught up for long', said: 0, received: '1-10', executed: '1-10', lag: 0 },
  { name: 'nothing received yet', said: 86_400, received: '', executed: '1-10', lag: 0 },
  {
    name: 'what it applies was committed a moment ago',
    said: 86_400,
    received: '1-10',
    executed: '1-9',
    applyingUs: 1_900_000,
    lag: 1,
  },
  {
    name: 'what it applies is old',
    said: 700,
    received: '1-10',
    executed: '1-5',
    applyingUs: 700_400_000,
    lag: 700,
  },
  {
    name: "the source's clock is behind, and what it applies looks old",
    said: 1,
    received: '1-10',
    executed: '1-9',
    applyingUs: 60_000_000,
    lag: 1,
  },
  {
    name: "the source's clock is ahead",
    said: 1,
    received: '1-10',
    executed: '1-9',
    applyingUs: -60_000_000,
    lag: 0,
  },
  {
    name: 'it waits on purpose, and applies nothing',
    said: 3600,
    received: '1-10',
    executed: '1-5',
    applyingUs: null,
    lag: 3600,
  },
  { name: 'it does not replicate', said: null, received: '1-10', executed: '1-5', lag: undefined },
  {
    name: 'it does not replicate and has everything',
    said: null,
    received: '1-10',
    executed: '1-10',
    lag: undefined,
  },
];

for (const { name, said, received, executed, applyingUs = null, lag } of MYSQL) {
  test(`mysql: ${name}`, (t) => {
    const gtids = (numbers: string): string => (numbers === '' ? '' : `${UUID}:${numbers}`);
    const state = mysqlState([
      [{ version: '9.7.4', executed: gtids(executed), purged: '' }],
      [],
      [],
      [
        {
          Channel_Name: '',
          Source_Host: 'db1',
          Source_Port: 3306,
          Replica_IO_Running: said === null ? 'No' : 'Yes',
          Replica_SQL_Running: 'Yes',
          Retrieved_Gtid_Set: gtids(received),
          Seconds_Behind_Source: said,
        },
      ],
      [],
      [],
      [],
      [],
      [{ oldest_us: applyingUs }],
    ]);
    t.is(state.replication?.lagSeconds, lag);
  });
}

const MARIADB: readonly Lag[] = [
  {
    name: 'caught up right after it began to follow',
    said: 86_400,
    received: '0-1-10',
    executed: '0-1-10',
    lag: 0,
  },
  { name: 'nothing received yet', said: 86_400, received: '', executed: '0-1-10', lag: 0 },
  { name: 'behind', said: 700, received: '0-1-10', executed: '0-1-5', lag: 700 },
  { name: 'it does not replicate', said: null, received: '0-1-10', executed: '0-1-5', lag: undefined },
];

for (const { name, said, received, executed, lag } of MARIADB) {
  test(`mariadb: ${name}`, (t) => {
    const { state } = mariadbState(
      [
        [{ version: '11.8.3-MariaDB', server_id: 2, binlog_state: executed, slave_pos: executed }],
        [],
        [
          {
            Connection_name: '',
            Master_Host: 'db1',
            Master_Port: 3306,
            Slave_IO_Running: said === null ? 'No' : 'Yes',
            Slave_SQL_Running: 'Yes',
            Gtid_IO_Pos: received,
            Seconds_Behind_Master: said,
          },
        ],
        [],
        [],
        [],
      ],
      undefined,
    );
    t.is(state.replication?.lagSeconds, lag);
  });
}
