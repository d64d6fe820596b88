/** What the figures of a site say, when the alert must not be there yet, when it is, and when it has ended. */
export interface AlertCase {
  readonly alert: string;
  /** What is tried, where one alert has several cases. */
  readonly what?: string;
  /** In the notation of promtool, a value every 15 seconds. */
  readonly series: Readonly<Record<string, string>>;
  readonly notYet?: string;
  readonly fires: string;
  /** How many of it. */
  readonly count?: number;
  readonly ended?: string;
  /** The message of one that fires. */
  readonly summary?: string;
}

/** Right, then wrong from the second minute on, then right from the twelfth. */
const spell = (right: number | string, wrong: number | string): string =>
  `${right}x7 ${wrong}x39 ${right}x40`;

/** When a spell is noticed that must last for so many seconds. */
const times = (seconds: number): Pick<AlertCase, 'notYet' | 'fires' | 'ended'> => ({
  notYet: `${120 + seconds - 15}s`,
  fires: `${120 + seconds + 15}s`,
  ended: '13m',
});

/** An hour is passed with a value every quarter of an hour; what was said an hour ago counts as said until then. */
const WEEK = 7 * 86400;

export const CASES: readonly AlertCase[] = [
  { alert: 'Watchdog', series: { up: '1x40' }, fires: '0s' },
  {
    alert: 'SiteDown',
    series: { 'probe_success{job="site",instance="www.foobar.com",vip="10.0.0.1"}': spell(1, 0) },
    ...times(30),
    summary: 'www.foobar.com does not answer at 10.0.0.1',
  },
  {
    alert: 'SiteSlow',
    series: { 'probe_duration_seconds{job="site",instance="www.foobar.com"}': spell(0.1, 3) },
    ...times(120),
    summary: 'www.foobar.com takes 3s to answer',
  },
  {
    alert: 'ErrorsFast',
    series: {
      'haproxy_backend_http_responses_total{proxy="web",code="2xx"}': '0+100x300',
      'haproxy_backend_http_responses_total{proxy="web",code="5xx"}': '0x40 0+10x100 1000x160',
    },
    notYet: '10m',
    fires: '20m',
    ended: '44m',
  },
  {
    alert: 'ErrorsFast',
    what: 'not of single requests at night',
    series: {
      'haproxy_backend_http_responses_total{proxy="web",code="2xx"}': '0+1x100',
      'haproxy_backend_http_responses_total{proxy="web",code="5xx"}': '0+1x100',
    },
    fires: '20m',
    count: 0,
  },
  {
    alert: 'ErrorsSlow',
    series: {
      'haproxy_backend_http_responses_total{proxy="web",code="2xx"}': '0+1000x300',
      'haproxy_backend_http_responses_total{proxy="web",code="5xx"}': '0+9x300',
    },
    notYet: '10m',
    fires: '20m',
  },
  {
    alert: 'CertificateExpires',
    what: 'a fifth of six days is a day and a bit',
    series: {
      'understudy_certificate_not_after_timestamp_seconds{kind="site",instance="lb1"}': '105000x400',
      'understudy_certificate_lifetime_seconds{kind="site",instance="lb1"}': '518400x400',
    },
    notYet: '75m',
    fires: '90m',
    summary: 'the certificate of the site on lb1 is not renewed',
  },
  {
    alert: 'CertificateExpires',
    what: 'as a visitor sees it',
    series: { 'probe_ssl_earliest_cert_expiry{job="site",instance="www.foobar.com"}': '100000x300' },
    notYet: '59m',
    fires: '61m',
  },
  {
    alert: 'InternalCertificateExpires',
    series: {
      'understudy_certificate_not_after_timestamp_seconds{kind="internal",instance="web1"}': `${WEEK}x300`,
    },
    notYet: '59m',
    fires: '61m',
  },
  {
    alert: 'NoBalancerHoldsAddress',
    series: {
      'understudy_vip_held{vip="10.0.0.1",instance="lb1"}': '1x7 0x78',
      'understudy_vip_held{vip="10.0.0.1",instance="lb2"}': '0x47 1x40',
    },
    ...times(15),
    summary: 'no balancer holds 10.0.0.1',
  },
  {
    alert: 'TwoBalancersHoldAddress',
    series: {
      'understudy_vip_held{vip="10.0.0.1",instance="lb1"}': '1x90',
      'understudy_vip_held{vip="10.0.0.1",instance="lb2"}': spell(0, 1),
    },
    ...times(15),
    summary: '2 balancers hold 10.0.0.1',
  },
  {
    alert: 'AddressFlaps',
    series: {
      'understudy_vip_held{vip="10.0.0.1",instance="lb1"}': '1 0 1 0 1 0x90',
      'understudy_vip_held{vip="10.0.0.1",instance="lb2"}': '0 1 0 1 0 1x90',
    },
    notYet: '30s',
    fires: '75s',
    ended: '20m',
  },
  {
    alert: 'BalancerDown',
    series: { 'up{job="haproxy",instance="lb1"}': spell(1, 0) },
    ...times(30),
    summary: 'HAProxy on lb1 does not answer',
  },
  {
    alert: 'NoWebServer',
    series: { 'haproxy_backend_active_servers{proxy="web",instance="lb1"}': spell(3, 0) },
    ...times(15),
  },
  {
    alert: 'FewWebServers',
    series: {
      'haproxy_backend_active_servers{proxy="web",instance="lb1"}': spell(3, 1),
      'haproxy_server_status{proxy="web",instance="lb1",server="web1",state="UP"}': '1x90',
      'haproxy_server_status{proxy="web",instance="lb1",server="web2",state="UP"}': '0x90',
    },
    ...times(120),
  },
  {
    alert: 'FewWebServers',
    what: 'not of a site that has one',
    series: {
      'haproxy_backend_active_servers{proxy="web",instance="lb1"}': '1x90',
      'haproxy_server_status{proxy="web",instance="lb1",server="web1",state="UP"}': '1x90',
    },
    fires: '10m',
    count: 0,
  },
  {
    alert: 'ConnectionsNearLimit',
    series: {
      'haproxy_process_current_connections{instance="lb1"}': spell(10, 3900),
      'haproxy_process_max_connections{instance="lb1"}': '4000x90',
    },
    ...times(120),
    summary: 'lb1 uses 97.5% of its connections',
  },
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
  {
    alert: 'HostDown',
    series: { 'up{job="node",instance="web1"}': spell(1, 0) },
    ...times(45),
    summary: 'web1 does not answer',
  },
  { alert: 'WebServerDown', series: { 'nginx_up{instance="web1"}': spell(1, 0) }, ...times(60) },
  { alert: 'MetricsMissing', series: { 'up{job="nginx",instance="web1"}': spell(1, 0) }, ...times(300) },
  {
    alert: 'DiskFillsUp',
    series: {
      'node_filesystem_avail_bytes{fstype="ext4",mountpoint="/",instance="web1"}': '24000-10x300',
      'node_filesystem_size_bytes{fstype="ext4",mountpoint="/",instance="web1"}': '100000x300',
    },
    notYet: '30m',
    fires: '32m',
    summary: '/ of web1 is full within a day',
  },
  {
    alert: 'DiskFull',
    series: {
      'node_filesystem_avail_bytes{fstype="ext4",mountpoint="/",instance="web1"}': spell(50, 5),
      'node_filesystem_size_bytes{fstype="ext4",mountpoint="/",instance="web1"}': '100x90',
    },
    ...times(120),
    summary: '/ of web1 has 5% left',
  },
  {
    alert: 'MemoryShort',
    series: {
      'node_memory_MemAvailable_bytes{instance="web1"}': spell(50, 5),
      'node_memory_MemTotal_bytes{instance="web1"}': '100x90',
    },
    ...times(120),
  },
  {
    alert: 'UnitFailed',
    series: { 'node_systemd_unit_state{name="nginx.service",state="failed",instance="web1"}': spell(0, 1) },
    ...times(120),
    summary: 'nginx.service failed on web1',
  },
  {
    alert: 'ClockWrong',
    series: { 'node_timex_sync_status{instance="web1"}': '0x90' },
    notYet: '9m',
    fires: '11m',
  },
  {
    alert: 'HostLeftBehind',
    series: {
      'understudy_provision_run_timestamp_seconds{instance="web1"}': '100x300',
      'understudy_provision_run_timestamp_seconds{instance="web2"}': '9000x300',
      'understudy_provision_run_timestamp_seconds{instance="web3"}': '9000x300',
    },
    notYet: '59m',
    fires: '61m',
    summary: 'web1 was left out by the last `provision up`',
  },
  {
    alert: 'HostLeftBehind',
    what: 'not by a run that was for another host alone',
    series: {
      'understudy_provision_run_timestamp_seconds{instance="web1"}': '100x300',
      'understudy_provision_run_timestamp_seconds{instance="web2"}': '100x300',
      'understudy_provision_run_timestamp_seconds{instance="web3"}': '9000x300',
    },
    fires: '61m',
    count: 0,
  },
];

/** Of three days, as promtool takes too long for them every quarter of a minute: a value every hour. */
export const SLOW_CASES: readonly AlertCase[] = [
  {
    alert: 'RebootPending',
    series: { 'understudy_reboot_required{instance="web1"}': '1x80' },
    notYet: '71h',
    fires: '73h',
  },
  {
    alert: 'SecurityUpgradesWait',
    series: { 'understudy_packages_waiting{origin="security",instance="web1"}': '4x80' },
    notYet: '71h',
    fires: '73h',
    summary: '4 security upgrades wait on web1',
  },
];

/** A site on which all is well, its replicas' names those of both flavours. */
export const WELL: Readonly<Record<string, string>> = {
  'probe_success{job="site",instance="www.foobar.com"}': '1x300',
  'probe_duration_seconds{job="site",instance="www.foobar.com"}': '0.05x300',
  'probe_ssl_earliest_cert_expiry{job="site",instance="www.foobar.com"}': '9000000x300',
  'understudy_vip_held{vip="10.0.0.1",instance="lb1"}': '1x300',
  'understudy_vip_held{vip="10.0.0.1",instance="lb2"}': '0x300',
  'up{job="haproxy",instance="lb1"}': '1x300',
  'up{job="failover",instance="lb1"}': '1x300',
  'up{job="node",instance="lb1"}': '1x300',
  'up{job="etcd",instance="web1"}': '1x300',
  'up{job="mysql",instance="web1"}': '1x300',
  'etcd_server_has_leader{instance="web1"}': '1x300',
  'haproxy_backend_active_servers{proxy="web",instance="lb1"}': '3x300',
  'haproxy_backend_active_servers{proxy="mysql_primary",instance="lb1"}': '1x300',
  'haproxy_backend_active_servers{proxy="mysql_readable",instance="lb1"}': '3x300',
  'haproxy_backend_http_responses_total{proxy="web",code="2xx"}': '0+100x300',
  'haproxy_backend_http_responses_total{proxy="web",code="5xx"}': '0x300',
  'mysql_up{job="mysql",cluster="servers",instance="web1"}': '1x300',
  'mysql_up{job="mysql",cluster="servers",instance="web2"}': '1x300',
  'mysql_global_variables_read_only{cluster="servers",instance="web1"}': '0x300',
  'mysql_global_variables_read_only{cluster="servers",instance="web2"}': '1x300',
  'mysql_slave_status_replica_io_running{cluster="servers",instance="web2"}': '1x300',
  'mysql_slave_status_replica_sql_running{cluster="servers",instance="web2"}': '1x300',
  'mysql_slave_status_slave_io_running{cluster="orders",instance="sql2"}': '1x300',
  'mysql_slave_status_slave_sql_running{cluster="orders",instance="sql2"}': '1x300',
  'mysql_slave_status_seconds_behind_source{cluster="servers",instance="web2"}': '0x300',
  'mysql_global_status_rpl_semi_sync_source_status{cluster="servers",instance="web1"}': '1x300',
  'mysql_global_status_rpl_semi_sync_source_status{cluster="servers",instance="web2"}': '0x300',
  'mysql_global_status_rpl_semi_sync_source_clients{cluster="servers",instance="web1"}': '2x300',
  'mysql_global_status_rpl_semi_sync_source_clients{cluster="servers",instance="web2"}': '0x300',
  'understudy_failover_watch_seen_timestamp_seconds{cluster="servers",instance="lb1"}': '0+15x300',
  'understudy_failover_epoch{cluster="servers",instance="lb1"}': '7x300',
  'understudy_provision_run_timestamp_seconds{instance="lb1"}': '100x300',
  'understudy_provision_run_timestamp_seconds{instance="web1"}': '160x300',
  'understudy_packages_waiting{origin="security",instance="web1"}': '0x300',
  'node_timex_sync_status{instance="web1"}': '1x300',
};
