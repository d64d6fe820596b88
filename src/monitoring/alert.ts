/** One kind of alert: how it is found, how urgent it is, what it means and what is done about it, all in one place. */
export interface Alert {
  /** A stable name: the alert's, and that of its part of docs/alerts.md. */
  readonly code: string;
  /** In Prometheus's language; what it gives is wrong. */
  readonly expression: string;
  /** How long that must last; without it, it counts at once. */
  readonly for?: string;
  /** `page`: wake somebody. `warning`: look at it in working hours. `none`: not about a fault. */
  readonly severity: 'page' | 'warning' | 'none';
  /** What the message says, as a template of Prometheus. */
  readonly summary: string;
  /** What it means for the site, in a sentence or two. */
  readonly meaning: string;
  /** What to type, or to do. */
  readonly remedy: string;
}

/** Alerts that belong together, and are judged one after the other. */
export interface AlertGroup {
  readonly name: string;
  readonly title: string;
  readonly alerts: readonly Alert[];
}

/** A figure that is worked out first, under a name of its own. */
export interface Recorded {
  readonly name: string;
  readonly expression: string;
}
