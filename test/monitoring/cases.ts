import type { AlertCase } from './alert-case.ts';
import { DATABASE_CASES } from './cases-database.ts';
import { HOST_CASES } from './cases-hosts.ts';
import { SITE_CASES } from './cases-site.ts';

export const CASES: readonly AlertCase[] = [...SITE_CASES, ...DATABASE_CASES, ...HOST_CASES];

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
