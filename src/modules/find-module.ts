import { setImmediate } from 'node:timers/promises';

import type { AnyModule } from './kit/module.ts';
import { registry } from './registry.ts';

/** Collections whose modules may be called by their last name alone, as Ansible's own redirects allow. */
const COLLECTIONS = ['ansible.builtin', 'ansible.posix', 'community.general'];

/** Names that are other modules' second names. */
const REDIRECTS: Readonly<Record<string, string>> = {
  'ansible.builtin.systemd': 'ansible.builtin.systemd_service',
  'ansible.builtin.gather_facts': 'ansible.builtin.setup',
};

const loaded = new Map<string, AnyModule>();

/** The full name of a module that is called fully qualified, short, or `ansible.legacy.NAME`; undefined when there is none. */
export function moduleName(name: string): string | undefined {
  const full = name.replace(/^ansible\.legacy\./, 'ansible.builtin.');
  const candidates = full.includes('.') ? [full] : COLLECTIONS.map((collection) => `${collection}.${full}`);
  return candidates
    .map((candidate) => REDIRECTS[candidate] ?? candidate)
    .find((candidate) => Object.hasOwn(registry, candidate));
}

/** Loads the modules of these names; names of no module are let pass. */
export async function loadModules(names: Iterable<string>): Promise<void> {
  const wanted = new Set([...names].flatMap((name) => moduleName(name) ?? []));
  for (const name of wanted) {
    const load = registry[name];
    if (!load || loaded.has(name)) continue;
    loaded.set(name, await load());
    // Loading keeps the event loop busy: connections that are being opened get their turn in between.
    await setImmediate();
  }
}

/** The module that a task names. It must have been loaded. */
export function findModule(name: string): AnyModule | undefined {
  const full = moduleName(name);
  if (full === undefined) return undefined;
  const module = loaded.get(full);
  if (!module) throw new Error(`the module ${full} was not loaded before its use`);
  return module;
}

/** All modules by their full names, for those who write about them. */
export async function allModules(): Promise<Readonly<Record<string, AnyModule>>> {
  await loadModules(Object.keys(registry));
  return Object.fromEntries(loaded);
}
