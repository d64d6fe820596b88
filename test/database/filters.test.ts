import test from 'ava';

import { filtersOf } from '../../src/database/mysql/read.ts';

/* The columns of SHOW REPLICA STATUS and SHOW ALL SLAVES STATUS, as MySQL 9.7 and MariaDB 11.8 say them. */
const NONE = {
  Replicate_Do_DB: '',
  Replicate_Ignore_DB: '',
  Replicate_Do_Table: '',
  Replicate_Ignore_Table: '',
  Replicate_Wild_Do_Table: '',
  Replicate_Wild_Ignore_Table: '',
  Replicate_Ignore_Server_Ids: '',
  Replicate_Do_Domain_Ids: '',
  Replicate_Ignore_Domain_Ids: null,
  Replicate_Rewrite_DB: '',
  Replica_IO_Running: 'Yes',
};
const FILTERS: readonly (readonly [string, string])[] = [
  ['Replicate_Do_DB', 'app'],
  ['Replicate_Wild_Ignore_Table', 'app.tmp%'],
  ['Replicate_Ignore_Server_Ids', '77, 78'],
  ['Replicate_Do_Domain_Ids', '0'],
  ['Replicate_Ignore_Domain_Ids', '3'],
  ['Replicate_Rewrite_DB', '(x,y)'],
  ['Replicate_Rewrite_DB', 'a->b'],
];

test('a replica without filters has none', (t) => {
  t.deepEqual(filtersOf(NONE), []);
});

for (const [column, value] of FILTERS) {
  test(`what makes a replica differ from its source is a filter: ${column} ${value}`, (t) => {
    t.deepEqual(filtersOf({ ...NONE, [column]: value }), [`${column}=${value}`]);
  });
}
