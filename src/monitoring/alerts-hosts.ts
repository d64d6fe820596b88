import type { AlertGroup } from './alert.ts';

const DISK = 'fstype!~"tmpfs|ramfs|overlay|squashfs"';

export const HOSTS: AlertGroup = {
  name: 'hosts',
  title: 'The hosts',
  alerts: [
    {
      code: 'HostDown',
      expression: 'up{job="node"} == 0',
      for: '45s',
      severity: 'warning',
      summary: '{{ $labels.instance }} does not answer',
      meaning:
        'The host is off, or cut off from the monitoring. Warnings about what runs there are not told beside it.',
      remedy: '`provision doctor`, then its console.',
    },
    {
      code: 'WebServerDown',
      expression: 'nginx_up == 0',
      for: '1m',
      severity: 'warning',
      summary: 'Nginx on {{ $labels.instance }} does not answer',
      meaning: 'The balancers send requests to the others.',
      remedy: '`systemctl status nginx` there; `provision up -t nginx`.',
    },
    {
      code: 'MetricsMissing',
      expression: 'up{job!~"node|haproxy|failover|mysql|etcd|valkey"} == 0',
      for: '5m',
      severity: 'warning',
      summary: 'no metrics of {{ $labels.job }} from {{ $labels.instance }}',
      meaning: 'What they would say, no alert can.',
      remedy: '`provision up -t monitoring`',
    },
    {
      code: 'DiskFillsUp',
      expression: `node_filesystem_avail_bytes{${DISK}} / node_filesystem_size_bytes < 0.25 and predict_linear(node_filesystem_avail_bytes{${DISK}}[6h], 86400) < 0`,
      for: '30m',
      severity: 'warning',
      summary: '{{ $labels.mountpoint }} of {{ $labels.instance }} is full within a day',
      meaning: 'It fills as it did in the last six hours.',
      remedy:
        '`du -xh --max-depth 2 MOUNTPOINT | sort -h | tail`; binary logs go with `mysql_binlog_expire_days`.',
    },
    {
      code: 'DiskFull',
      expression: `node_filesystem_avail_bytes{${DISK}} / node_filesystem_size_bytes < 0.08`,
      for: '2m',
      severity: 'page',
      summary:
        '{{ $labels.mountpoint }} of {{ $labels.instance }} has {{ $value | humanizePercentage }} left',
      meaning: 'A database whose disk is full stands still.',
      remedy:
        'Make room there now: `journalctl --vacuum-size 100M`, `apt-get clean`, old releases and dumps.',
    },
    {
      code: 'MemoryShort',
      expression:
        'node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes < 0.07 or increase(node_vmstat_oom_kill[10m]) > 0',
      for: '2m',
      severity: 'warning',
      summary: '{{ $labels.instance }} is short of memory',
      meaning: 'The kernel ends processes, or is about to.',
      remedy: '`systemd-cgtop -m` there; `mysql_buffer_pool_mb` is the largest share.',
    },
    {
      code: 'UnitFailed',
      expression: 'node_systemd_unit_state{state="failed"} == 1',
      for: '2m',
      severity: 'warning',
      summary: '{{ $labels.name }} failed on {{ $labels.instance }}',
      meaning: 'systemd gave it up, or a task of its timer failed.',
      remedy:
        '`systemctl status NAME` and `journalctl -u NAME` there; `systemctl reset-failed NAME` when it is dealt with.',
    },
    {
      code: 'ClockWrong',
      expression: 'abs(node_timex_offset_seconds) > 0.1 or node_timex_sync_status == 0',
      for: '10m',
      severity: 'warning',
      summary: 'the clock of {{ $labels.instance }} is not kept right',
      meaning: 'Certificates, sessions and logs go by it.',
      remedy: '`chronyc tracking` and `chronyc sources` there.',
    },
    {
      code: 'RebootPending',
      expression: 'understudy_reboot_required == 1',
      for: '3d',
      severity: 'warning',
      summary: '{{ $labels.instance }} waits for a reboot',
      meaning: 'A newer kernel is installed and does not run.',
      remedy: '`provision reboot`: one host after the other, without a failed request.',
    },
    {
      code: 'SecurityUpgradesWait',
      expression: 'understudy_packages_waiting{origin="security"} > 0',
      for: '3d',
      severity: 'warning',
      summary: '{{ $value }} security upgrades wait on {{ $labels.instance }}',
      meaning: 'A known weakness is open.',
      remedy: '`provision upgrade`: one host after the other, without a failed request.',
    },
    {
      code: 'HostLeftBehind',
      // Later than most: a run that was limited to one host leaves nobody behind.
      expression:
        'scalar(quantile(0.5, understudy_provision_run_timestamp_seconds)) - understudy_provision_run_timestamp_seconds > 3600',
      for: '1h',
      severity: 'warning',
      summary: '{{ $labels.instance }} was left out by the last `provision up`',
      meaning: 'It was not reached, and may differ from the others.',
      remedy: '`provision up`',
    },
  ],
};
