import type { AlertGroup } from './alert.ts';
import { DATABASE, FAILOVER, SESSIONS } from './alerts-database.ts';
import { HOSTS } from './alerts-hosts.ts';
import { BALANCERS, SITE } from './alerts-site.ts';

/** Everything that is told by itself: from here come the rules of Prometheus and the page docs/alerts.md. */
export const ALERTS: readonly AlertGroup[] = [SITE, BALANCERS, DATABASE, FAILOVER, SESSIONS, HOSTS];
