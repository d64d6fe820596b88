import type { AlertGroup } from './alert.ts';

export const DATABASE: AlertGroup = {
  name: 'database',
  title: 'The database',
  alerts: [
    {
      code: 'NoPrimary',
      expression: 'haproxy_backend_active_servers{proxy=~".+_primary"} == 0',
      for: '30s',
      severity: 'page',
      summary: '{{ $labels.instance }} knows no server for {{ $labels.proxy }}',
      meaning: 'Nothing can be written, and the watch has not promoted anybody.',
      remedy:
        '`failover status` says what is wrong and what to type; `failover analyse` says why nothing was done.',
    },
    {
      code: 'TwoPrimaries',
      expression: 'count by (cluster) (mysql_global_variables_read_only == 0) > 1',
      for: '5s',
      severity: 'page',
      summary: '{{ $value }} instances of {{ $labels.cluster }} take writes',
      meaning: 'Writes may go to either, and be lost on one of them.',
      remedy:
        '`failover status`: it names the wrong one; `failover rejoin INSTANCE` brings that back as a replica.',
    },
    {
      code: 'InstanceDown',
      expression: 'mysql_up == 0 or up{job="mysql"} == 0',
      for: '1m',
      severity: 'warning',
      summary: 'the database on {{ $labels.instance }} does not answer',
      meaning: 'Reads go to the others. When it was the primary, the watch has promoted another one.',
      remedy: '`failover status`, then `failover rejoin INSTANCE`.',
    },
    {
      code: 'ReplicationStopped',
      expression: 'db:receiver_running == 0 or db:applier_running == 0',
      for: '1m',
      severity: 'warning',
      summary: '{{ $labels.instance }} does not replicate',
      meaning: 'It falls behind, is no candidate, and does not acknowledge.',
      remedy:
        '`failover status` says why; `failover rejoin INSTANCE`, with `--clone` where its data is not the primary’s.',
    },
    {
      code: 'ReplicaLags',
      expression: 'db:behind_seconds > 30',
      for: '2m',
      severity: 'warning',
      summary: '{{ $labels.instance }} is {{ $value | humanizeDuration }} behind',
      meaning: 'Its readers see old rows, and a promotion would wait for it.',
      remedy: 'Look for long transactions on the primary (`SHOW PROCESSLIST`) and for the load of its disk.',
    },
    {
      code: 'WritesUnprotected',
      expression:
        '(db:semisync_on == 1 and db:semisync_ackers < 1) or (db:semisync_on == 0 and on (instance) mysql_global_variables_read_only == 0 and on (cluster) count by (cluster) (mysql_up) > 1)',
      for: '1m',
      severity: 'page',
      summary: 'no replica acknowledges what {{ $labels.instance }} writes',
      meaning: 'Writes wait, or a failover would lose them.',
      remedy: '`failover status`: are the replicas up? `failover rejoin INSTANCE` brings one back.',
    },
    {
      code: 'DatabaseConnectionsNearLimit',
      expression: 'mysql_global_status_threads_connected / mysql_global_variables_max_connections > 0.85',
      for: '2m',
      severity: 'warning',
      summary: '{{ $labels.instance }} uses {{ $value | humanizePercentage }} of its connections',
      meaning: 'Above the limit the app gets errors.',
      remedy: 'Look who holds them (`SHOW PROCESSLIST`); `mysql_max_connections` is the limit.',
    },
  ],
};

export const FAILOVER: AlertGroup = {
  name: 'failover',
  title: 'The failover',
  alerts: [
    {
      code: 'FailoverProblem',
      expression:
        'max by (cluster, code, exported_instance) (understudy_failover_problem{severity="critical"}) == 1',
      for: '1m',
      severity: 'page',
      summary: '{{ $labels.cluster }}: {{ $labels.code }} {{ $labels.exported_instance }}',
      meaning:
        'The watch sees something critical and has not ended it within a minute. [failover-problems.md](failover-problems.md) has every code.',
      remedy: '`failover status` has the remedy for the instances at hand.',
    },
    {
      code: 'FailoverRefused',
      expression: 'max by (cluster, code, exported_instance) (understudy_failover_refused) == 1',
      for: '15s',
      severity: 'page',
      summary:
        '{{ $labels.cluster }}: the watch can do nothing about {{ $labels.code }} {{ $labels.exported_instance }}',
      meaning: 'It would act, and something speaks against it: a person must decide.',
      remedy: '`failover analyse` says what speaks against it.',
    },
    {
      code: 'AutomaticFailover',
      // A counter that was not there ten minutes ago began at nought.
      expression:
        'max by (cluster, recovery, outcome) (understudy_failover_recoveries_total - (understudy_failover_recoveries_total offset 10m or understudy_failover_recoveries_total * 0)) > 0',
      severity: 'warning',
      summary: '{{ $labels.cluster }}: {{ $labels.recovery }}, {{ $labels.outcome }}',
      meaning: 'The watch acted in the last ten minutes.',
      remedy: '`failover history` says why; after a failover, `failover ack` lets another one follow.',
    },
    {
      code: 'FailoverPaused',
      expression: 'max by (cluster) (understudy_failover_paused) == 1',
      for: '1h',
      severity: 'warning',
      summary: 'nothing of {{ $labels.cluster }} is recovered by itself',
      meaning: 'Somebody paused the watch, and has perhaps forgotten it.',
      remedy: '`failover resume`',
    },
    {
      code: 'NobodyWatches',
      expression:
        'sum(up{job="failover"}) == 0 or time() - max by (cluster) (understudy_failover_watch_seen_timestamp_seconds) > 60',
      for: '30s',
      severity: 'page',
      summary: 'no watch looks at the database',
      meaning: 'When the primary dies, nobody replaces it.',
      remedy: '`systemctl status failover-watch` on the balancers; `provision up -t failover`.',
    },
    {
      code: 'WatchDown',
      expression: 'up{job="failover"} == 0',
      for: '2m',
      severity: 'warning',
      summary: 'the watch on {{ $labels.instance }} does not answer',
      meaning: 'The other one watches alone.',
      remedy: '`systemctl status failover-watch` there; `provision up -t failover`.',
    },
    {
      code: 'StoreLosesMember',
      expression: 'sum(up{job="etcd"}) < count(up{job="etcd"})',
      for: '2m',
      severity: 'warning',
      summary: '{{ $value }} members of the store of the failover answer',
      meaning: 'Without a majority of them nothing is promoted by itself.',
      remedy:
        '`systemctl status etcd` on the servers; `provision up -t etcd` lets a member that lost its data join again.',
    },
    {
      code: 'StoreWithoutLeader',
      expression: 'min(etcd_server_has_leader) == 0 or sum(up{job="etcd"}) * 2 <= count(up{job="etcd"})',
      for: '30s',
      severity: 'page',
      summary: 'the store of the failover has no leader, or no majority',
      meaning: 'Nothing is promoted, by the watch or by people, until it has.',
      remedy: '`systemctl status etcd` on the servers: bring one more back.',
    },
  ],
};

export const SESSIONS: AlertGroup = {
  name: 'sessions',
  title: 'The store of sessions',
  alerts: [
    {
      code: 'SessionStoreDown',
      expression: 'redis_up == 0 or up{job="valkey"} == 0',
      for: '1m',
      severity: 'warning',
      summary: 'Valkey on {{ $labels.instance }} does not answer',
      meaning: 'The others keep the sessions.',
      remedy: '`failover status` shows the store; `provision up -t valkey`.',
    },
    {
      code: 'SessionStoreWithoutPrimary',
      expression: 'count(up{job="valkey"}) unless count(redis_instance_info{role="master"})',
      for: '30s',
      severity: 'page',
      summary: 'the store of sessions has no primary',
      meaning: 'Nobody can log in.',
      remedy:
        '`session-store status` on a server; `systemctl status valkey-server valkey-sentinel` on all of them.',
    },
  ],
};
