import type { Memory } from './memory.ts';
import type { Instance } from './topology.ts';

/** The process that is replacing an instance's data by a copy at this time; undefined when none is. */
export function copierOf({ copies }: Memory, name: string, at: number): string | undefined {
  const copy = copies?.[name];
  return copy !== undefined && at < copy.until ? copy.by : undefined;
}

/**
 * Treats instances whose data are being replaced as silent. Their servers may answer meanwhile, but they execute no
 * statements and may restart at any moment.
 */
export function withoutCopied(
  instances: readonly Instance[],
  memory: Memory,
  at: number,
): readonly Instance[] {
  return instances.map((instance): Instance => {
    const by = copierOf(memory, instance.spec.name, at);
    if (by === undefined) return instance;
    const message = `its data are being replaced by a copy (${by})`;
    const { spec, ms } = instance;
    return { spec, ms, kind: 'silent', silence: { kind: 'error', alive: true, message } };
  });
}
