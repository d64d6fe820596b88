import type { AnyModule } from './module.ts';
import { registry } from './registry.ts';

/** Collections whose modules may be called by their last name alone, as Ansible's own redirects allow. */
const COLLECTIONS = ['ansible.builtin', 'ansible.posix', 'community.general'];

/** Names that are other modules' second names. */
const REDIRECTS: Readonly<Record<string, string>> = {
  'ansible.builtin.systemd': 'ansible.builtin.systemd_service',
  'ansible.builtin.gather_facts': 'ansible.builtin.setup',
};

/** The module that a task names: fully qualified, short, or `ansible.legacy.NAME`. */
export function findModule(name: string): AnyModule | undefined {
  const full = name.replace(/^ansible\.legacy\./, 'ansible.builtin.');
  const candidates = full.includes('.') ? [full] : COLLECTIONS.map((collection) => `${collection}.${full}`);
  for (const candidate of candidates) {
    const target = REDIRECTS[candidate] ?? candidate;
    const module = Object.hasOwn(registry, target) ? registry[target] : undefined;
    if (module) return module;
  }
  return undefined;
}
