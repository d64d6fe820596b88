import type { Recorded } from './alert.ts';

/** MySQL and MariaDB name the same thing differently: whatever judges a database uses these names. */
const DATABASE: readonly (readonly [name: string, mysql: string, mariadb: string])[] = [
  ['db:receiver_running', 'slave_status_replica_io_running', 'slave_status_slave_io_running'],
  ['db:applier_running', 'slave_status_replica_sql_running', 'slave_status_slave_sql_running'],
  ['db:behind_seconds', 'slave_status_seconds_behind_source', 'slave_status_seconds_behind_master'],
  [
    'db:semisync_on',
    'global_status_rpl_semi_sync_source_status',
    'global_status_rpl_semi_sync_master_status',
  ],
  [
    'db:semisync_ackers',
    'global_status_rpl_semi_sync_source_clients',
    'global_status_rpl_semi_sync_master_clients',
  ],
];

const answers = (window: string, code = ''): string =>
  `sum(rate(haproxy_backend_http_responses_total{proxy="web"${code}}[${window}]))`;

/** Of the answers in that time, how many were the site's own errors: none while there were none at all. */
const errors = (window: string): Recorded => ({
  name: `site:errors:ratio${window}`,
  expression: `${answers(window, ',code="5xx"')} / clamp_min(${answers(window)}, 0.001)`,
});

export const RECORDS: readonly Recorded[] = [
  ...DATABASE.map(([name, mysql, mariadb]) => ({ name, expression: `mysql_${mysql} or mysql_${mariadb}` })),
  { name: 'site:requests:rate2m', expression: answers('2m') },
  errors('5m'),
  errors('1h'),
];
