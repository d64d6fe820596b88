import { z } from 'zod';

import { parseGtids } from '../../database/gtid.ts';
import { CHANGE_KINDS } from './change-kind.ts';
import { openObject } from './open-object.ts';
import { PROMOTION_RULES } from './promotion-rule.ts';

// What a cluster remembers between runs. The types are derived from the schema that every stored memory is read with;
// whoever needs only the types imports them as types, and does not load the schema library.

const time = z.number().describe('milliseconds since 1970');
const names = z.array(z.string()).readonly();
const gtids = z.string().refine(isGtids, 'expected GTIDs in the notation of MySQL or MariaDB');

const sourceSettingsSchema = openObject({
  instance: z.string(),
  waits: z.boolean().describe('semi-sync is on and has not fallen back to asynchronous'),
  required: z.int().nonnegative().describe('how many acknowledgements it waits for'),
  endless: z.boolean().describe('it waits as long as it takes'),
  strangers: names
    .optional()
    .describe('replicas that may acknowledge to it and that the inventory does not know'),
});

const downtimeSchema = openObject({ instance: z.string(), until: time, reason: z.string(), by: z.string() });

export const memorySchema = openObject({
  epoch: z
    .int()
    .nonnegative()
    .describe("grows with every change of topology; an older one's decisions count for nothing"),
  primary: z
    .string()
    .optional()
    .describe('the instance that the last change made the primary, as far as is known'),
  lastSeen: gtids
    .optional()
    .describe('the last GTIDs seen on that primary: what may be lost is measured against them'),
  began: gtids
    .optional()
    .describe(
      'what that primary had when it became it, or was first seen to be it; whatever another instance wrote beyond that was written where nobody should write',
    ),
  semiSync: sourceSettingsSchema
    .optional()
    .describe("how that primary acknowledged its clients' writes when it was seen to take them last"),
  downtimes: z.array(downtimeSchema).readonly(),
  unacknowledged: openObject({ id: z.string(), at: time })
    .optional()
    .describe('the last automatic recovery, until somebody acknowledges it'),
  paused: openObject({
    by: z.string(),
    reason: z.string(),
    at: time,
    until: time.optional().describe('when it ends by itself; without, somebody has to end it'),
  }).optional(),
  copies: z
    .record(
      z.string(),
      openObject({ by: z.string(), token: z.string(), until: time, held: z.string().optional() }),
    )
    .readonly()
    .optional()
    .describe('instances whose data are being replaced by a copy, and by whom: the lock of that instance'),
  wanted: openObject({ by: z.string(), at: time })
    .optional()
    .describe('a failover waits for the lock: who holds it for something that can wait gives it back'),
  rules: z
    .record(z.string(), z.enum(PROMOTION_RULES))
    .readonly()
    .describe('set at run time; they beat those of the inventory'),
  fenced: names
    .optional()
    .describe('instances whose machine was fenced: mysqld stays masked there until somebody rejoins them'),
  stopped: names
    .optional()
    .describe('those of the fenced ones that somebody had stopped before: only a person starts them again'),
  below: z
    .record(z.string(), z.string())
    .readonly()
    .optional()
    .describe('replicas that an operator has put below another replica, and below which'),
  identities: z
    .record(z.string(), z.string())
    .readonly()
    .optional()
    .describe('the server_uuid (MariaDB: server_id) of each instance that answered'),
  started: z
    .record(z.string(), time)
    .readonly()
    .optional()
    .describe('when each replica was started that was seen to receive, by the clock of whoever looked'),
  runs: z
    .record(z.string(), time)
    .readonly()
    .optional()
    .describe('the same by the clock of the replica itself: it does not change while the server runs'),
  watchers: z
    .record(z.string(), time)
    .readonly()
    .optional()
    .describe('who watches, and when each said so last'),
  understands: z
    .record(z.string(), z.int())
    .readonly()
    .optional()
    .describe('for each of them: which records it understands; a watch of an older release is not in it'),
  disabledEvents: names
    .optional()
    .describe('events that were disabled on the primary when it was seen last, as `schema.name`'),
  unfinished: openObject({
    id: z.string(),
    kind: z.enum(CHANGE_KINDS),
    from: z.string(),
    to: z.string(),
    began: gtids.optional().describe('what the new primary begins with: perhaps on no other instance yet'),
    semiSync: sourceSettingsSchema.optional().describe('how the new primary acknowledges'),
  })
    .optional()
    .describe('a change that was begun and not ended: the tool was killed in the middle of it'),
});

export type Memory = z.infer<typeof memorySchema>;
/** What an instance waits for before it tells a client that its write is committed. */
export type SourceSettings = z.infer<typeof sourceSettingsSchema>;

function isGtids(text: string): boolean {
  for (const flavour of ['mysql', 'mariadb'] as const) {
    try {
      parseGtids(flavour, text);
      return true;
    } catch {
      // The text may be of the other flavour.
    }
  }
  return false;
}
