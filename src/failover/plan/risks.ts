import type { RefusalCode } from './refusal-codes.ts';

/**
 * The refusals that an operator may accept with `--force NAME`, and what happens then. A refusal that is not listed
 * here stands, whatever is typed.
 */
export const RISKS = {
  Asynchronous: 'writes that were acknowledged may be lost',
  BlockedCandidate: 'the change waits for those sessions, as long as a catch-up may take',
  CannotCatchUp: 'those transactions are lost',
  CommitsWait: 'the primary commits alone meanwhile: what it loses until then is lost',
  ErrantTransactions: 'those transactions become part of the history of all instances',
  ExternalChannels: 'those channels stay where they are, and bring the old primary what the new one lacks',
  FilteredCandidate: 'what the filters left out is missing on the new primary',
  HoldsAcknowledged: 'when the primary dies before another replica has them, those writes are lost',
  LaggingCandidate: 'the change waits for it, as long as a catch-up may take',
  LongTransactions: 'their sessions are ended and rolled back',
  LockedTables: 'their sessions are ended, and their locks with them',
  LosesTransactions: 'those transactions are lost',
  NewerThanOthers: 'the older instances may stop replicating',
  NotTheLastPrimary: 'what only the last primary has is lost',
  OfflineCandidate: 'it takes writes, and only from administrators',
  PreparedTransactions: 'they stay prepared on the new primary, with their row locks, and are ended there',
  PrimaryIsAlive: 'the primary is given up, although it lives',
  PrimaryIsHeardOf: 'the primary is given up, although a replica hears it',
  PrimaryStalled: 'the primary is given up: what it could not commit was not acknowledged',
  PurgedTransactions: 'those instances need a copy afterwards',
  SplitBrain: 'the history of the named instance is kept, and that of the others is lost',
  TooFewAckers: 'writes that only those instances have are lost',
  UnknownOutcome: 'writes that the silent instance took meanwhile are lost',
  WaitingForAcknowledgement: 'the primary is given up: the writes that wait were not acknowledged',
} as const satisfies Readonly<Partial<Record<RefusalCode, string>>>;

/** The code of a refusal that may be accepted. */
export type RiskCode = keyof typeof RISKS;

const RISK_CODES = Object.keys(RISKS) as readonly RiskCode[];

/** Whether `--force` can accept a refusal of this code. */
export function isRisk(code: RefusalCode): code is RiskCode {
  return Object.hasOwn(RISKS, code);
}

/** `TooFewAckers` as it is typed: `too-few-ackers`. */
export function riskName(code: RiskCode): string {
  return code.replace(/(?<!^)[A-Z]/g, '-$&').toLowerCase();
}

/** The risk of that name; undefined when there is none. */
export function riskNamed(name: string): RiskCode | undefined {
  return RISK_CODES.find((code) => riskName(code) === name);
}

/** `--force too-few-ackers,asynchronous`. */
export function forceOption(codes: readonly RiskCode[]): string {
  return `--force ${codes.map(riskName).join(',')}`;
}

/** What stands in the way of `failover rejoin` and may be accepted. */
export const REJOIN_RISKS: readonly RiskCode[] = ['CommitsWait', 'HoldsAcknowledged'];

/** What stands in the way of `failover remove` and may be accepted. */
export const REMOVE_RISKS: readonly RiskCode[] = ['HoldsAcknowledged'];

/** What stands in the way of `failover promote` and may be accepted. */
export const PROMOTE_RISKS: readonly RiskCode[] = RISK_CODES.filter((code) => !REJOIN_RISKS.includes(code));
