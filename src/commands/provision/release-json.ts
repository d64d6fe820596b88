import { z } from 'zod';

import { recordSchema } from '../../release/record.ts';
import type { AppSite, ServerAnswer } from './app-site.ts';

// What `deploy`, `rollback` and `releases` print with --json, beside the lines of a roll.

export const releaseLineSchema = z
  .strictObject({
    type: z.literal('release'),
    kind: z.enum(['deploy', 'rollback']),
    release: z.string(),
    before: z.string().nullable().describe('what was served before; null: the same'),
    done: z.boolean().describe('every server that answers serves it, and `provision up` keeps it so'),
    servers: z.array(
      z.strictObject({
        name: z.string(),
        serves: z.string().nullable().describe('null: it does not answer, or no app runs there'),
      }),
    ),
  })
  .describe('The last line of `provision deploy` and `provision rollback`.');
export type ReleaseLine = z.infer<typeof releaseLineSchema>;

const { current, previous, unfinished, releases, history } = recordSchema.shape;

export const releasesSchema = z
  .strictObject({
    type: z.literal('releases'),
    current: current.describe('what `provision up` puts onto the servers; null: nothing was deployed'),
    previous,
    unfinished,
    releases,
    history,
    servers: z.array(
      z.strictObject({
        name: z.string(),
        current: z.string().nullable().describe('what a start of the app would run'),
        runs: z.string().nullable().describe('what runs; null: nothing'),
        kept: z.array(z.string()),
        trouble: z.string().optional().describe('why it does not answer'),
      }),
    ),
  })
  .describe('What `provision releases --json` prints: one object.');

export function releasesJson(
  site: AppSite,
  answers: ReadonlyMap<string, ServerAnswer>,
): z.infer<typeof releasesSchema> {
  const record = site.store.record();
  return {
    type: 'releases',
    current: record?.current ?? null,
    previous: record?.previous ?? null,
    unfinished: record?.unfinished ?? null,
    releases: record?.releases ?? [],
    history: record?.history ?? [],
    servers: [...answers].map(([name, answer]) =>
      answer.kind === 'silent'
        ? { name, current: null, runs: null, kept: [], trouble: answer.why }
        : {
            name,
            current: answer.releases.current ?? null,
            runs: answer.releases.runs ?? null,
            kept: [...answer.releases.kept],
          },
    ),
  };
}
