import { z } from 'zod';

/**
 * A stored object that keeps keys which this release does not know: a newer release wrote them, and a process that
 * changes a part of a record must not lose the rest.
 */
export function openObject<const Shape extends z.ZodRawShape>(shape: Shape): OpenObject<Shape> {
  // The type leaves the unknown keys out, so the compiler finds a misspelt one.
  return z.looseObject(shape).readonly();
}

type OpenObject<Shape extends z.ZodRawShape> = z.ZodReadonly<z.ZodObject<Shape>>;
