import { type AlertCase, spell, times } from './alert-case.ts';

export const DATABASE_CASES: readonly AlertCase[] = [
  {
    alert: 'NoPrimary',
    series: { 'haproxy_backend_active_servers{proxy="orders_primary",instance="lb1"}': spell(1, 0) },
    ...times(30),
    summary: 'lb1 knows no server for orders_primary',
  },
  {
    alert: 'TwoPrimaries',
    series: {
      'mysql_global_variables_read_only{cluster="servers",instance="web1"}': '0x90',
      'mysql_global_variables_read_only{cluster="servers",instance="web2"}': spell(1, 0),
    },
    ...times(15),
    summary: '2 instances of servers take writes',
  },
  {
    alert: 'TwoPrimaries',
    what: 'not of two clusters',
    series: {
      'mysql_global_variables_read_only{cluster="servers",instance="web1"}': '0x90',
      'mysql_global_variables_read_only{cluster="orders",instance="sql1"}': '0x90',
    },
    fires: '10m',
    count: 0,
  },
  {
    alert: 'InstanceDown',
    series: { 'mysql_up{job="mysql",instance="web2"}': spell(1, 0) },
    ...times(60),
    summary: 'the database on web2 does not answer',
  },
  {
    alert: 'InstanceDown',
    what: 'with its exporter',
    series: { 'up{job="mysql",instance="web2"}': spell(1, 0) },
    ...times(60),
  },
  {
    alert: 'ReplicationStopped',
    what: 'as MySQL says it',
    series: { 'mysql_slave_status_replica_sql_running{instance="web2"}': spell(1, 0) },
    ...times(60),
    summary: 'web2 does not replicate',
  },
  {
    alert: 'ReplicationStopped',
    what: 'as MariaDB says it',
    series: { 'mysql_slave_status_slave_io_running{instance="web3"}': spell(1, 0) },
    ...times(60),
    summary: 'web3 does not replicate',
  },
  {
    alert: 'ReplicaLags',
    what: 'as MySQL says it',
    series: { 'mysql_slave_status_seconds_behind_source{instance="web2"}': spell(0, 90) },
    ...times(120),
    summary: 'web2 is 1m 30s behind',
  },
  {
    alert: 'ReplicaLags',
    what: 'as MariaDB says it',
    series: { 'mysql_slave_status_seconds_behind_master{instance="web2"}': spell(0, 90) },
    ...times(120),
  },
  ...(['source', 'master'] as const).flatMap((word): readonly AlertCase[] => [
    {
      alert: 'WritesUnprotected',
      what: `without an acker, as ${word === 'source' ? 'MySQL' : 'MariaDB'} says it`,
      series: {
        [`mysql_global_status_rpl_semi_sync_${word}_status{instance="web1"}`]: '1x90',
        [`mysql_global_status_rpl_semi_sync_${word}_clients{instance="web1"}`]: spell(2, 0),
      },
      ...times(60),
      summary: 'no replica acknowledges what web1 writes',
    },
    {
      alert: 'WritesUnprotected',
      what: `fallen back, as ${word === 'source' ? 'MySQL' : 'MariaDB'} says it`,
      series: {
        [`mysql_global_status_rpl_semi_sync_${word}_status{cluster="servers",instance="web1"}`]: spell(1, 0),
        [`mysql_global_status_rpl_semi_sync_${word}_status{cluster="servers",instance="web2"}`]: '0x90',
        [`mysql_global_status_rpl_semi_sync_${word}_clients{cluster="servers",instance="web1"}`]: '2x90',
        'mysql_global_variables_read_only{cluster="servers",instance="web1"}': '0x90',
        'mysql_global_variables_read_only{cluster="servers",instance="web2"}': '1x90',
        'mysql_up{cluster="servers",instance="web1"}': '1x90',
        'mysql_up{cluster="servers",instance="web2"}': '1x90',
      },
      ...times(60),
    },
  ]),
  {
    alert: 'WritesUnprotected',
    what: 'not of an instance that is alone',
    series: {
      'mysql_global_status_rpl_semi_sync_source_status{cluster="servers",instance="web1"}': '0x90',
      'mysql_global_variables_read_only{cluster="servers",instance="web1"}': '0x90',
      'mysql_up{cluster="servers",instance="web1"}': '1x90',
    },
    fires: '10m',
    count: 0,
  },
  {
    alert: 'DatabaseConnectionsNearLimit',
    series: {
      'mysql_global_status_threads_connected{instance="web1"}': spell(10, 290),
      'mysql_global_variables_max_connections{instance="web1"}': '300x90',
    },
    ...times(120),
  },
  {
    alert: 'FailoverProblem',
    what: 'once, of both watches',
    series: {
      'understudy_failover_problem{cluster="servers",code="DeadPrimary",severity="critical",exported_instance="db1",instance="lb1"}':
        '_x7 1x39 _x40',
      'understudy_failover_problem{cluster="servers",code="DeadPrimary",severity="critical",exported_instance="db1",instance="lb2"}':
        '_x7 1x39 _x40',
    },
    // A figure that is not said any more counts for five minutes.
    notYet: '150s',
    fires: '195s',
    ended: '20m',
    summary: 'servers: DeadPrimary db1',
  },
  {
    alert: 'FailoverProblem',
    what: 'not of a warning',
    series: {
      'understudy_failover_problem{cluster="servers",code="ReplicaLagging",severity="warning",exported_instance="db2",instance="lb1"}':
        '1x90',
    },
    fires: '10m',
    count: 0,
  },
  {
    alert: 'FailoverRefused',
    series: {
      'understudy_failover_refused{cluster="servers",code="DeadPrimary",exported_instance="db1",instance="lb1"}':
        '1x40',
    },
    fires: '30s',
  },
  {
    alert: 'AutomaticFailover',
    what: 'the first one',
    series: {
      'understudy_failover_recoveries_total{cluster="servers",recovery="failover",outcome="done",instance="lb1"}':
        '_x7 1x100',
    },
    notYet: '90s',
    fires: '2m',
    ended: '14m',
    summary: 'servers: failover, done',
  },
  {
    alert: 'AutomaticFailover',
    what: 'another one, and a watch that began again',
    series: {
      'understudy_failover_recoveries_total{cluster="servers",recovery="failover",outcome="done",instance="lb1"}':
        '3x60 4x60 0x60',
    },
    notYet: '14m',
    fires: '16m',
    ended: '27m',
  },
  {
    alert: 'FailoverPaused',
    series: { 'understudy_failover_paused{cluster="servers",instance="lb1"}': '1x300' },
    notYet: '59m',
    fires: '61m',
  },
  {
    alert: 'NobodyWatches',
    what: 'none answers',
    series: {
      'up{job="failover",instance="lb1"}': spell(1, 0),
      'up{job="failover",instance="lb2"}': spell(1, 0),
    },
    ...times(30),
    summary: 'no watch looks at the database',
  },
  {
    alert: 'NobodyWatches',
    what: 'both hang',
    series: {
      'understudy_failover_watch_seen_timestamp_seconds{cluster="servers",instance="lb1"}': '0+15x10 150x60',
      'understudy_failover_watch_seen_timestamp_seconds{cluster="servers",instance="lb2"}': '0+15x8 120x60',
    },
    notYet: '4m',
    fires: '5m',
  },
  {
    alert: 'NobodyWatches',
    what: 'not while one does',
    series: { 'up{job="failover",instance="lb1"}': '0x90', 'up{job="failover",instance="lb2"}': '1x90' },
    fires: '10m',
    count: 0,
  },
  {
    alert: 'WatchDown',
    series: { 'up{job="failover",instance="lb1"}': spell(1, 0) },
    ...times(120),
  },
  {
    alert: 'StoreLosesMember',
    series: {
      'up{job="etcd",instance="web1"}': '1x90',
      'up{job="etcd",instance="web2"}': '1x90',
      'up{job="etcd",instance="web3"}': spell(1, 0),
    },
    ...times(120),
    summary: '2 members of the store of the failover answer',
  },
  {
    alert: 'StoreWithoutLeader',
    series: { 'etcd_server_has_leader{instance="web1"}': spell(1, 0) },
    ...times(30),
  },
  {
    alert: 'StoreWithoutLeader',
    what: 'without a majority',
    series: {
      'up{job="etcd",instance="web1"}': '1x90',
      'up{job="etcd",instance="web2"}': spell(1, 0),
      'up{job="etcd",instance="web3"}': spell(1, 0),
    },
    ...times(30),
  },
  {
    alert: 'SessionStoreDown',
    series: { 'redis_up{job="valkey",instance="web1"}': spell(1, 0) },
    ...times(60),
  },
  {
    alert: 'SessionStoreWithoutPrimary',
    series: {
      'up{job="valkey",instance="web1"}': '1x90',
      'redis_instance_info{role="slave",instance="web1"}': '1x90',
    },
    fires: '1m',
  },
  {
    alert: 'SessionStoreWithoutPrimary',
    what: 'not while there is one',
    series: {
      'up{job="valkey",instance="web1"}': '1x90',
      'redis_instance_info{role="master",instance="web1"}': '1x90',
    },
    fires: '10m',
    count: 0,
  },
];
