import { apt } from './apt.ts';
import { command } from './command.ts';
import { copy } from './copy.ts';
import { file } from './file.ts';
import { lineinfile } from './lineinfile.ts';
import type { AnyModule } from './module.ts';
import { packageModule } from './package.ts';
import { service } from './service.ts';
import { shell } from './shell.ts';
import { stat } from './stat.ts';
import { systemdService } from './systemd_service.ts';
import { template } from './template.ts';

/** Every module by its full name. What is not here is not supported. */
export const registry: Readonly<Record<string, AnyModule>> = {
  'ansible.builtin.apt': apt,
  'ansible.builtin.command': command,
  'ansible.builtin.copy': copy,
  'ansible.builtin.file': file,
  'ansible.builtin.lineinfile': lineinfile,
  'ansible.builtin.package': packageModule,
  'ansible.builtin.service': service,
  'ansible.builtin.shell': shell,
  'ansible.builtin.stat': stat,
  'ansible.builtin.systemd_service': systemdService,
  'ansible.builtin.template': template,
};
