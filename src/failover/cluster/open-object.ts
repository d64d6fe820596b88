import { z } from 'zod';

/**
 * A stored object whose further keys are kept, though nobody here knows them: a release that knows more wrote them, and
 * whoever changes a part of a record must not lose the rest.
 */
export function openObject<const Shape extends z.ZodRawShape>(shape: Shape): OpenObject<Shape> {
  // The type says nothing of the keys that nobody knows, so that a misspelt one is a mistake.
  return z.looseObject(shape).readonly();
}

type OpenObject<Shape extends z.ZodRawShape> = z.ZodReadonly<z.ZodObject<Shape>>;
