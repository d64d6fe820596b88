import { type AlertCase, spell, times } from './alert-case.ts';

export const HOST_CASES: readonly AlertCase[] = [
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
