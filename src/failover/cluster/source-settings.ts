import { waitsForEver } from './survey.ts';
import type { SourceSettings } from './memory.ts';
import type { Answering } from './topology.ts';

/** How an instance acknowledges its clients' writes right now. */
export function sourceSettings({ spec, state }: Answering): SourceSettings {
  const { source } = state.semiSync;
  return {
    instance: spec.name,
    waits: source.enabled && source.active,
    required: source.requiredAcks,
    endless: waitsForEver(source),
  };
}
