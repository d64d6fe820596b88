import { command } from './command.ts';
import { copy } from './copy.ts';
import { file } from './file.ts';
import { lineinfile } from './lineinfile.ts';
import type { AnyModule } from './module.ts';
import { shell } from './shell.ts';
import { stat } from './stat.ts';
import { template } from './template.ts';

/** Every module by its full name. What is not here is not supported. */
export const registry: Readonly<Record<string, AnyModule>> = {
  'ansible.builtin.command': command,
  'ansible.builtin.copy': copy,
  'ansible.builtin.file': file,
  'ansible.builtin.lineinfile': lineinfile,
  'ansible.builtin.shell': shell,
  'ansible.builtin.stat': stat,
  'ansible.builtin.template': template,
};
