import { z } from 'zod';

const drainedSchema = z.object({
  by: z.string(),
  since: z.number().describe('milliseconds since 1970'),
  reason: z.string(),
});

/** Who took a server out of what the balancers serve, when and why. */
export type Drained = z.infer<typeof drainedSchema>;

/** One line, as it is kept on the balancers. */
export function drainedLine({ by, since, reason }: Drained): string {
  return `${JSON.stringify({ by, since, reason })}\n`;
}

/** Reads that line. What cannot be read says so: the server is out all the same. */
export function parseDrained(line: string): Drained {
  try {
    return drainedSchema.parse(JSON.parse(line));
  } catch {
    return { by: 'somebody', since: 0, reason: `unreadable note: ${line.slice(0, 80)}` };
  }
}
