import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/*
 * The files that the package cache keeps, each with a note of what it is. Several labs share the directory: a finished
 * file is renamed into place, so no lock is needed; at worst two labs fetch a file twice.
 */

const metaSchema = z.object({
  url: z.string(),
  size: z.number(),
  /** When it was fetched or last confirmed by the server, in milliseconds. */
  checked: z.number(),
  lastModified: z.string().optional(),
  etag: z.string().optional(),
  type: z.string().optional(),
});

export type Meta = z.infer<typeof metaSchema>;

/** What a server says of a file. */
export type Head = Pick<Meta, 'url' | 'lastModified' | 'etag' | 'type'>;

export const DAY = 86_400_000;
const FORGOTTEN_AFTER = 90 * DAY;

/** Where the file of a URL is. */
export function objectPath(directory: string, url: string): string {
  const key = createHash('sha256').update(url).digest('hex');
  return join(directory, key.slice(0, 2), key);
}

/** What is known of a file that is there and whole. */
export async function readMeta(directory: string, url: string): Promise<Meta | undefined> {
  const path = objectPath(directory, url);
  const text = await readFile(`${path}.json`, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const meta = metaSchema.safeParse(parseJson(text));
  // A file whose size is not the one that was noted is as good as none: the machine may have crashed.
  const file = await stat(path).catch(() => undefined);
  return meta.success && file?.size === meta.data.size ? meta.data : undefined;
}

export async function writeMeta(directory: string, meta: Meta): Promise<void> {
  const path = objectPath(directory, meta.url);
  const temporary = `${path}.${randomUUID()}.part`;
  await writeFile(temporary, JSON.stringify(meta));
  await rename(temporary, `${path}.json`);
}

/** Removes what nobody asked for in three months, and what a crash left half fetched. */
export async function pruneCache(directory: string): Promise<void> {
  const limit = Date.now() - FORGOTTEN_AFTER;
  for (const shard of await readdir(directory).catch(() => [])) {
    for (const name of await readdir(join(directory, shard)).catch(() => [])) {
      const path = join(directory, shard, name);
      const file = await stat(path).catch(() => undefined);
      if (!file) continue;
      const abandoned = name.endsWith('.part') && file.mtimeMs < Date.now() - DAY;
      if (abandoned || (!name.endsWith('.json') && file.mtimeMs < limit)) {
        await rm(path, { force: true });
        await rm(`${path}.json`, { force: true });
      }
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
