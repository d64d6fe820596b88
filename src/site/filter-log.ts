/*
 * The log of the filter for requests (ModSecurity's audit log, one JSON object a line), read for people: which request, what of
 * it, which rules. What visitors sent is left out, for the values that were matched may be passwords or cookies.
 */

/** A rule that matched, and on which part of the request: `ARGS:text`. */
export interface MatchedRule {
  readonly id: number;
  readonly message: string;
  readonly where: string | null;
  /** By which a whole family of rules is named: `attack-sqli`. */
  readonly attack: string | null;
}

export interface FilteredRequest {
  /** As the server's clock says, in the notation of ISO 8601. */
  readonly at: string;
  /** By which balancer, Nginx and app name it (X-Request-Id). */
  readonly id: string;
  readonly client: string;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly status: number;
  /** What the filter did: refused it; only wrote down that it would have (`waf: detect`); or found too little for that. */
  readonly verdict: 'refused' | 'would be refused' | 'noticed';
  readonly rules: readonly MatchedRule[];
}

/** The rules that add up what the others found, and those for what cannot be read at all. */
const TOTALS = /^(949\d{3}|959\d{3}|98\d{4})$/;
const UNREADABLE = /^20000\d$/;

/** What a server prints: its offset to UTC (`+0100`), then the lines of the log. Lines that are no entries are left out. */
export function readFilterLog(text: string): readonly FilteredRequest[] {
  const [offset = '+0000', ...lines] = text.split('\n');
  return lines.flatMap((line) => {
    try {
      return entryOf(JSON.parse(line) as AuditLine, offset);
    } catch {
      // The first line of what was read, or the last one of a log that is being written.
      return [];
    }
  });
}

interface AuditLine {
  readonly transaction: {
    readonly client_ip: string;
    readonly time_stamp: string;
    readonly unique_id: string;
    readonly request: { readonly method: string; readonly uri: string };
    readonly response: { readonly http_code: number };
    readonly producer: { readonly secrules_engine: string };
    readonly messages: readonly {
      readonly message: string;
      readonly details: {
        readonly ruleId: string;
        readonly match: string;
        readonly tags?: readonly string[];
      };
    }[];
  };
}

function entryOf({ transaction }: AuditLine, offset: string): FilteredRequest {
  const { messages, request, response, producer } = transaction;
  const ids = messages.map(({ details }) => details.ruleId);
  const isTooMuch = ids.some((id) => TOTALS.test(id) || UNREADABLE.test(id));
  return {
    at: new Date(`${transaction.time_stamp} ${offset}`).toISOString(),
    id: transaction.unique_id,
    client: transaction.client_ip,
    method: request.method,
    path: request.uri.split('?', 1)[0] ?? '',
    status: response.http_code,
    verdict: !isTooMuch ? 'noticed' : producer.secrules_engine === 'Enabled' ? 'refused' : 'would be refused',
    rules: messages
      .filter(({ details }) => !TOTALS.test(details.ruleId))
      .map(({ message, details }) => ({
        id: Number(details.ruleId),
        message,
        where: /against variable `([^']*)'/.exec(details.match)?.[1] ?? null,
        attack: details.tags?.find((tag) => tag.startsWith('attack-')) ?? null,
      })),
  };
}
