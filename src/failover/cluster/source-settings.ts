import { ENDLESS_TIMEOUT_MS } from './survey.ts';
import type { SourceSettings } from './memory.ts';
import type { Answering } from './topology.ts';

/** How an instance acknowledges its clients' writes right now. */
export function sourceSettings({ spec, state }: Answering): SourceSettings {
  const { enabled, active, requiredAcks, timeoutMs } = state.semiSync.source;
  return {
    instance: spec.name,
    waits: enabled && active,
    required: requiredAcks,
    endless: timeoutMs >= ENDLESS_TIMEOUT_MS,
  };
}
