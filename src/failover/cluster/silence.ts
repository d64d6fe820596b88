import type { Silence } from '../../database/state.ts';
import { ServerFailure } from '../../database/failure.ts';

/** Why an instance gave no answer, from what its handle rejected with; anything but a failure of the server is a bug. */
export function silenceOf(error: unknown): Silence {
  if (error instanceof ServerFailure) return error.silence;
  throw error;
}
