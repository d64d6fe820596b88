/**
 * Shares one reading between all who ask for it at about the same time. Nobody gets what began to be read before they
 * asked: who comes while something is being read shares the next reading.
 */
export function fresh<Value>(read: () => Promise<Value>): () => Promise<Value> {
  let current: Promise<Value> | undefined;
  let next: Promise<Value> | undefined;
  const start = (): Promise<Value> => {
    next = undefined;
    const reading = read();
    current = reading;
    const over = (): void => {
      if (current === reading) current = undefined;
    };
    reading.then(over, over);
    return reading;
  };
  return () => {
    if (!current) return start();
    next ??= current.then(start, start);
    return next;
  };
}
