import type { AlertGroup } from './alert.ts';

/** What visitors notice, and what stands between them and the servers. */
export const SITE: AlertGroup = {
  name: 'site',
  title: 'The site',
  alerts: [
    {
      code: 'Watchdog',
      expression: 'vector(1)',
      severity: 'none',
      summary: 'alerts work',
      meaning:
        'Not a fault: it always fires. Whoever gets it knows by its absence that alerts do not work any more.',
      remedy: 'Set `monitoring_watchdog_url` to a service that tells you when the calls stop.',
    },
    {
      code: 'SiteDown',
      expression: 'probe_success{job="site"} == 0',
      for: '20s',
      severity: 'page',
      summary: '{{ $labels.instance }} does not answer at {{ $labels.vip }}',
      meaning:
        'Asked as a visitor does, the site gives no good answer: none at all, an error, or a wrong certificate.',
      remedy:
        '`provision doctor` and `failover status` say which half is to blame; `provision up` repairs what differs.',
    },
    {
      code: 'SiteSlow',
      expression: 'probe_duration_seconds{job="site"} > 2',
      for: '2m',
      severity: 'warning',
      summary: '{{ $labels.instance }} takes {{ $value | humanizeDuration }} to answer',
      meaning: 'One page takes longer than two seconds from the host of the monitoring.',
      remedy:
        'Look at `site:requests:rate2m`, at the load of the servers and at slow statements of the database.',
    },
    {
      code: 'ErrorsFast',
      expression:
        'site:errors:ratio5m > 0.0144 and site:errors:ratio1h > 0.0144 and site:requests:rate2m > 0.2',
      for: '1m',
      severity: 'page',
      summary: '{{ $value | humanizePercentage }} of the requests fail',
      meaning: 'Errors use up a month of a 99.9 % promise in two days.',
      remedy:
        '`provision releases` when it began with a deploy, then `provision rollback`; else the logs of the app.',
    },
    {
      code: 'ErrorsSlow',
      expression: 'site:errors:ratio1h > 0.006 and site:requests:rate2m > 0.2',
      for: '15m',
      severity: 'warning',
      summary: '{{ $value | humanizePercentage }} of the requests of an hour fail',
      meaning: 'Errors use up a month of a 99.9 % promise in five days.',
      remedy: 'As for ErrorsFast, in working hours.',
    },
    {
      code: 'CertificateExpires',
      // A share of its life, not days: right for certificates of 90, 45 and 6 days.
      expression:
        '(understudy_certificate_not_after_timestamp_seconds{kind="site"} - time()) / understudy_certificate_lifetime_seconds{kind="site"} < 0.2 or (probe_ssl_earliest_cert_expiry{job="site"} - time()) / 86400 < 2',
      for: '1h',
      severity: 'page',
      summary: 'the certificate of the site on {{ $labels.instance }} is not renewed',
      meaning: 'Less than a fifth of its life is left, and the renewal was due at a third.',
      remedy: '`provision certificates` says why; `provision certificates renew` tries again.',
    },
    {
      code: 'InternalCertificateExpires',
      expression:
        '(understudy_certificate_not_after_timestamp_seconds{kind="internal"} - time()) / 86400 < 21',
      for: '1h',
      severity: 'warning',
      summary: '{{ $labels.path }} on {{ $labels.instance }} ends in {{ $value | humanize }} days',
      meaning:
        "A certificate that the site's hosts know each other by. Nothing renews it but a run, in its last thirty days.",
      remedy: '`provision up`',
    },
  ],
};

export const BALANCERS: AlertGroup = {
  name: 'balancers',
  title: 'The balancers',
  alerts: [
    {
      code: 'NoBalancerHoldsAddress',
      expression: 'sum by (vip) (understudy_vip_held) == 0',
      for: '15s',
      severity: 'page',
      summary: 'no balancer holds {{ $labels.vip }}',
      meaning: 'Nobody reaches the site at that address.',
      remedy: '`provision handover --status`; `journalctl -u keepalived` on the balancers.',
    },
    {
      code: 'TwoBalancersHoldAddress',
      expression: 'sum by (vip) (understudy_vip_held) > 1',
      for: '15s',
      severity: 'page',
      summary: '{{ $value }} balancers hold {{ $labels.vip }}',
      meaning:
        'The balancers do not hear each other: visitors reach one or the other, and connections break.',
      remedy:
        'Let VRRP (protocol 112) pass between them; `systemctl stop keepalived` on one of them meanwhile.',
    },
    {
      code: 'AddressFlaps',
      expression: 'sum by (vip) (changes(understudy_vip_held[15m])) > 6',
      severity: 'warning',
      summary: '{{ $labels.vip }} moves to and fro',
      meaning: 'The address moved more than three times in a quarter of an hour.',
      remedy:
        '`journalctl -u keepalived -u haproxy` on the balancers: one is overloaded, or its network loses packets.',
    },
    {
      code: 'BalancerDown',
      expression: 'up{job="haproxy"} == 0',
      for: '30s',
      severity: 'warning',
      summary: 'HAProxy on {{ $labels.instance }} does not answer',
      meaning: 'The other balancer serves alone: when that one dies, the site is down.',
      remedy: '`systemctl status haproxy` there, and `provision up -l HOST`.',
    },
    {
      code: 'NoWebServer',
      expression: 'haproxy_backend_active_servers{proxy="web"} == 0',
      for: '10s',
      severity: 'page',
      summary: '{{ $labels.instance }} sees no web server',
      meaning: 'Every request is answered with an error.',
      remedy:
        '`provision drain --status`: are all of them out? Else the app is down everywhere: `provision rollback`.',
    },
    {
      code: 'FewWebServers',
      expression:
        'haproxy_backend_active_servers{proxy="web"} < 2 and on (instance) count by (instance) (haproxy_server_status{proxy="web",state="UP"}) > 1',
      for: '2m',
      severity: 'warning',
      summary: '{{ $labels.instance }} sees {{ $value }} web server',
      meaning: 'One server serves everything.',
      remedy: '`provision drain --status`; `systemctl status nginx app` on the others.',
    },
    {
      code: 'ConnectionsNearLimit',
      expression: 'haproxy_process_current_connections / haproxy_process_max_connections > 0.8',
      for: '2m',
      severity: 'warning',
      summary: '{{ $labels.instance }} uses {{ $value | humanizePercentage }} of its connections',
      meaning: 'Above the limit visitors wait for others to leave.',
      remedy: '`provision limits` shows who has many; `haproxy_max_connections` is the limit.',
    },
  ],
};
