import { type AlertCase, spell, times } from './alert-case.ts';

const WEEK = 7 * 86400;

export const SITE_CASES: readonly AlertCase[] = [
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
];
