/** The kinds of change of a topology. The first two move the primary. */
export const CHANGE_KINDS = ['switchover', 'failover', 'rejoin', 'relocate', 'repair', 'remove'] as const;

export type ChangeKind = (typeof CHANGE_KINDS)[number];
