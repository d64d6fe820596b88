/** Runs `each` for all items, at most `limit` at a time, and gives the results in the items' order. */
export async function mapLimit<Item, Result>(
  items: readonly Item[],
  limit: number,
  each: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      results[index] = await each(items[index] as Item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}

/** Runs work under all the given keys, at most `limit` at a time for each. */
export type Limiter = <T>(keys: readonly string[], work: () => Promise<T>) => Promise<T>;

/** Makes a limiter. Work waits in the order it came. */
export function limiter(limit: number): Limiter {
  const running = new Map<string, number>();
  let waiting: { readonly keys: readonly string[]; readonly begin: () => void }[] = [];
  const free = (keys: readonly string[]) => keys.every((key) => (running.get(key) ?? 0) < limit);
  const take = (keys: readonly string[]) => {
    for (const key of keys) running.set(key, (running.get(key) ?? 0) + 1);
  };
  const give = (keys: readonly string[]) => {
    for (const key of keys) {
      const left = (running.get(key) ?? 1) - 1;
      if (left === 0) running.delete(key);
      else running.set(key, left);
    }
    const still: typeof waiting = [];
    for (const item of waiting) {
      if (free(item.keys)) {
        take(item.keys);
        item.begin();
      } else still.push(item);
    }
    waiting = still;
  };
  return async (keys, work) => {
    if (free(keys)) take(keys);
    else await new Promise<void>((begin) => waiting.push({ keys, begin }));
    try {
      return await work();
    } finally {
      give(keys);
    }
  };
}
