import type { Plan, TemplateOptions } from '../steps/plan.ts';
import {
  args,
  bool,
  choice,
  fileAliases,
  fileArguments,
  modeOrPreserve,
  path,
  str,
  validateArgument,
} from './kit/arguments.ts';
import { attributesOf } from './parts/attributes.ts';
import { preserved } from './copy.ts';
import { defineModule } from './kit/define.ts';
import { digestQuery, placedAt } from './parts/file-plan.ts';
import { planPlacedFile } from './parts/placed-file.ts';

const ENCODINGS: Readonly<Record<string, BufferEncoding>> = {
  'utf-8': 'utf8',
  utf8: 'utf8',
  ascii: 'ascii',
  'us-ascii': 'ascii',
  latin1: 'latin1',
  'latin-1': 'latin1',
  'iso-8859-1': 'latin1',
  'utf-16-le': 'utf16le',
};

const templateArgs = args({
  src: path.describe("The template on the controller, looked for in the role's `templates/` first."),
  dest: path.describe('The file on the target, or a directory.'),
  backup: bool.default(false).describe('Keep a copy of the file as it was, with the time in its name.'),
  force: bool
    .default(true)
    .describe('Replace a file whose content differs; `no` writes only what is missing.'),
  follow: bool.default(false).describe('Write through a symbolic link at `dest` rather than replace it.'),
  validate: validateArgument,
  trim_blocks: bool.default(true).describe('Drop the new line after a block tag.'),
  lstrip_blocks: bool.default(false).describe('Drop blanks before a block tag at the beginning of a line.'),
  newline_sequence: choice('\n', '\r', '\r\n', '\\n', '\\r', '\\r\\n')
    .default('\n')
    .describe('How lines end.'),
  block_start_string: str.optional().describe('Instead of `{%`.'),
  block_end_string: str.optional().describe('Instead of `%}`.'),
  variable_start_string: str.optional().describe('Instead of `{{`.'),
  variable_end_string: str.optional().describe('Instead of `}}`.'),
  comment_start_string: str.optional().describe('Instead of `{#`.'),
  comment_end_string: str.optional().describe('Instead of `#}`.'),
  output_encoding: str
    .refine((value) => value.toLowerCase() in ENCODINGS, {
      error: `expected one of ${Object.keys(ENCODINGS).join(', ')}`,
    })
    .default('utf-8')
    .describe('The encoding of the file; the template itself is UTF-8.'),
  ...fileArguments,
  mode: modeOrPreserve
    .optional()
    .describe("The permissions, such as `'0644'` or `u=rw,g=r,o=r`; `preserve` takes those of the template."),
});

type TemplateArgs = (typeof templateArgs)['_output'];

/** Renders a template of the controller and puts the text on the target. */
export const template = defineModule({
  name: 'ansible.builtin.template',
  summary: 'Renders a template of the controller to a file on the target.',
  example: `
- name: Configure HAProxy
  ansible.builtin.template:
    src: haproxy.cfg.j2
    dest: /etc/haproxy/haproxy.cfg
    validate: haproxy -c -f %s
`,
  args: templateArgs,
  aliases: fileAliases,
  paths: ['dest'],
  afterwards: placedAt('dest'),
  facts: (given) => [digestQuery(given.dest, given.follow)],
  plan(given, facts, context): Plan {
    const source = context.controller.find(given.src, 'templates');
    const text = context.renderTemplate(
      context.controller.read(source).toString('utf8'),
      source,
      options(given),
      {
        template_path: given.src,
        template_fullpath: source,
        template_destpath: given.dest,
        ansible_managed: 'Ansible managed',
      },
    );
    const encoding = ENCODINGS[given.output_encoding.toLowerCase()] ?? 'utf8';
    const attributes = { ...attributesOf(given), mode: preserved(given.mode, source, context) };
    return planPlacedFile(
      { ...given, bytes: Buffer.from(text, encoding), attributes, source: given.src },
      facts,
      context,
    );
  },
});

function options(given: TemplateArgs): TemplateOptions {
  const names = {
    blockStart: given.block_start_string,
    blockEnd: given.block_end_string,
    variableStart: given.variable_start_string,
    variableEnd: given.variable_end_string,
    commentStart: given.comment_start_string,
    commentEnd: given.comment_end_string,
  };
  return {
    trimBlocks: given.trim_blocks,
    lstripBlocks: given.lstrip_blocks,
    newlineSequence: given.newline_sequence.replace('\\r', '\r').replace('\\n', '\n'),
    ...Object.fromEntries(Object.entries(names).filter((entry) => entry[1] !== undefined)),
  };
}
