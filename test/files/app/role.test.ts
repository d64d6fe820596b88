import test from 'ava';
import { judgeRole, roleMetrics } from '../../../files/app/role.ts';

const running = { Replica_IO_Running: 'Yes', Replica_SQL_Running: 'Yes' };
const CASES: readonly {
  readonly title: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly replica?: Readonly<Record<string, string>>;
  readonly role: string;
}[] = [
  {
    title: 'a writable instance is the primary',
    variables: { read_only: 'OFF', super_read_only: 'OFF' },
    role: 'primary',
  },
  { title: 'a writable MariaDB is the primary', variables: { read_only: 'OFF' }, role: 'primary' },
  {
    title: 'an instance that only root may write is none',
    variables: { read_only: 'OFF', super_read_only: 'ON' },
    role: '',
  },
  {
    title: 'a writable instance that replicates is the primary still',
    variables: { read_only: 'OFF', super_read_only: 'OFF' },
    replica: running,
    role: 'primary',
  },
  {
    title: 'a read-only instance that replicates is a replica',
    variables: { read_only: 'ON', super_read_only: 'ON' },
    replica: running,
    role: 'replica readable',
  },
  {
    title: 'a MariaDB replica goes by the older words',
    variables: { read_only: 'ON' },
    replica: { Slave_IO_Running: 'Yes', Slave_SQL_Running: 'Yes' },
    role: 'replica readable',
  },
  {
    title: 'a replica that has lost its source can be read only',
    variables: { read_only: 'ON' },
    replica: { ...running, Replica_IO_Running: 'Connecting' },
    role: 'readable',
  },
  {
    title: 'a replica that does not apply can be read only',
    variables: { read_only: 'ON' },
    replica: { ...running, Replica_SQL_Running: 'No' },
    role: 'readable',
  },
  {
    title: 'a demoted primary can be read only',
    variables: { read_only: 'ON', super_read_only: 'ON' },
    role: 'readable',
  },
  {
    title: 'an instance that is offline is none',
    variables: { read_only: 'ON', offline_mode: 'ON' },
    replica: running,
    role: '',
  },
  { title: 'an instance that says nothing is none', variables: {}, role: '' },
];

for (const { title, variables, replica, role } of CASES) {
  test(title, (t) => {
    const judged = judgeRole({ variables: new Map(Object.entries(variables)), replica });
    t.is(
      Object.entries(judged)
        .filter(([, is]) => is)
        .map(([name]) => name)
        .join(' '),
      role,
    );
  });
}

test('the role as metrics has one value each, and of an instance that does not answer only that', (t) => {
  const values = (text: string) => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  t.deepEqual(values(roleMetrics({ primary: false, replica: true, readable: true })), [
    'understudy_role_check_up 1',
    'understudy_role_primary 0',
    'understudy_role_replica 1',
    'understudy_role_readable 1',
  ]);
  t.deepEqual(values(roleMetrics(undefined)), ['understudy_role_check_up 0']);
});
