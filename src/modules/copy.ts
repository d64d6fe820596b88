import { query, type FactQuery } from '../facts/fact.ts';
import { file as fileFact } from '../facts/file.ts';
import type { Plan, PlanContext } from '../steps/plan.ts';
import { fileAliases, octal } from './kit/arguments.ts';
import { copyArgs } from './parts/copy-arguments.ts';
import { attributesOf } from './parts/attributes.ts';
import { planDirectoryCopy } from './parts/copy-directory.ts';
import { planRemoteCopy } from './parts/copy-remote.ts';
import { defineModule } from './kit/define.ts';
import { digestQuery, sha1, placedAt } from './parts/file-plan.ts';
import { planPlacedFile } from './parts/placed-file.ts';

/** Copies files and directories of the controller, text, or files of the target itself. */
export const copy = defineModule({
  name: 'ansible.builtin.copy',
  summary: 'Copies files of the controller, or text, to the target.',
  example: `
- name: Configure it
  ansible.builtin.copy:
    src: some.conf
    dest: /etc/some.conf
    mode: '0644'
    validate: some --check %s
`,
  args: copyArgs,
  aliases: fileAliases,
  paths: ['dest'],
  afterwards: placedAt('dest'),
  facts(given): FactQuery[] {
    if (given.remote_src && given.src !== undefined) {
      return [
        query(fileFact, { path: given.src, follow: true, checksum: 'sha1' }),
        digestQuery(given.dest, given.follow),
      ];
    }
    return [digestQuery(given.dest, given.follow)];
  },
  plan(given, facts, context): Plan {
    if (given.src === undefined) {
      return planPlacedFile(
        {
          ...given,
          bytes: Buffer.from(given.content ?? ''),
          attributes: attributesOf(given),
          source: undefined,
        },
        facts,
        context,
      );
    }
    if (given.remote_src) return planRemoteCopy(given, given.src, facts, context);
    const source = context.controller.find(given.src, 'files');
    if (context.controller.type(source) === 'directory') {
      return planDirectoryCopy(given, given.src, source, facts, context);
    }
    const bytes = context.controller.content(source);
    if (given.checksum !== undefined && given.checksum !== sha1(bytes)) {
      return { kind: 'failed', message: `${source} has the checksum ${sha1(bytes)}, not ${given.checksum}` };
    }
    const attributes = { ...attributesOf(given), mode: preserved(given.mode, source, context) };
    return planPlacedFile({ ...given, bytes, attributes, source: given.src }, facts, context);
  },
});

/** The mode that `preserve` stands for: that of the controller's file. */
export function preserved(
  wish: string | undefined,
  source: string,
  context: PlanContext,
): string | undefined {
  if (wish !== 'preserve') return wish;
  return octal(context.controller.mode(source));
}
