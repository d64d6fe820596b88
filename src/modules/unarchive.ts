import { posix } from 'node:path';

import { query } from '../facts/fact.ts';
import { file as fileFact } from '../facts/file.ts';
import { glob } from '../facts/glob.ts';
import { command, quote } from '../lib/shell.ts';
import type { Plan } from '../steps/plan.ts';
import type { Step } from '../steps/step.ts';
import { args, bool, fileAliases, fileArguments, int, list, path, str } from './kit/arguments.ts';
import { defineModule } from './kit/define.ts';
import { sha1, placedAt } from './parts/file-plan.ts';
import { outputText } from './kit/outputs.ts';

const unarchiveArgs = args(
  {
    src: path
      .refine((value) => !value.includes('://'), {
        error: 'expected a path; fetch it with ansible.builtin.get_url first, then use remote_src: true',
      })
      .describe("The archive on the controller, looked for in the role's `files/` first."),
    dest: path.describe('The directory on the target, which must exist.'),
    remote_src: bool.default(false).describe('`src` is on the target.'),
    copy: bool.optional().describe('The old name for the opposite of `remote_src`.'),
    creates: path.optional().describe('Do nothing when this file, or one that matches this pattern, exists.'),
    list_files: bool.default(false).describe('Return the names of what is in the archive.'),
    keep_newer: bool
      .default(false)
      .describe("Leave files alone that are newer than the archive's (tar only)."),
    exclude: list(str).default([]).describe('Names not to unpack.'),
    include: list(str).default([]).describe('The only names to unpack.'),
    extra_opts: list(str).default([]).describe('Further options of tar or unzip.'),
    io_buffer_size: int.optional().describe('Accepted, and without effect.'),
    validate_certs: bool.optional().describe('Accepted, and without effect: nothing is downloaded.'),
    decrypt: bool
      .default(true)
      .describe('Accepted; files that Ansible Vault encrypted are opened in any case.'),
    ...fileArguments,
  },
  {
    exclusive: [
      ['include', 'exclude'],
      ['remote_src', 'copy'],
    ],
  },
);

type UnarchiveArgs = (typeof unarchiveArgs)['_output'];

/** Unpacks an archive of the controller or of the target. */
export const unarchive = defineModule({
  name: 'ansible.builtin.unarchive',
  summary: 'Unpacks a tar or zip archive.',
  example: `
- name: Unpack the release
  ansible.builtin.unarchive:
    src: app-1.2.tar.gz
    dest: /srv/app
    creates: /srv/app/bin
`,
  args: unarchiveArgs.transform((given) => ({
    ...given,
    remote_src: given.remote_src || given.copy === false,
  })),
  aliases: fileAliases,
  paths: ['dest', 'creates'],
  afterwards: placedAt('dest'),
  facts: (given) => [
    query(fileFact, { path: given.dest, follow: true }),
    ...(given.creates === undefined ? [] : [query(glob, given.creates)]),
    ...(given.remote_src ? [query(fileFact, { path: given.src, follow: true })] : []),
  ],
  plan(given, facts, context): Plan {
    const result = { src: given.src, dest: given.dest };
    if (given.creates !== undefined && facts.get(query(glob, given.creates)).length > 0) {
      return { kind: 'unchanged', result: { ...result, msg: `skipped, since ${given.creates} exists` } };
    }
    const dest = facts.get(query(fileFact, { path: given.dest, follow: true }));
    if (!dest.exists || dest.type !== 'directory') {
      return { kind: 'failed', message: `dest '${given.dest}' must be an existing dir`, result };
    }
    let archive = given.src;
    const steps: Step[] = [];
    if (given.remote_src) {
      if (!facts.get(query(fileFact, { path: given.src, follow: true })).exists) {
        return { kind: 'failed', message: `Source '${given.src}' does not exist`, result };
      }
    } else {
      const bytes = context.controller.content(context.controller.find(given.src, 'files'));
      archive = `/tmp/.understudy-archive-${context.user}-${sha1(bytes).slice(0, 16)}${given.src.endsWith('.zip') ? '.zip' : ''}`;
      steps.push({ kind: 'write', path: archive, content: bytes, attributes: { mode: '0600' } });
    }
    const isZip = /\.(zip|jar|war)$/i.test(given.src);
    return {
      kind: 'change',
      diffs: [{ subject: given.dest, before: '', after: `unpacked from ${posix.basename(given.src)}\n` }],
      steps: [
        ...steps,
        {
          kind: 'script',
          description: `unpack ${given.src} to ${given.dest}`,
          script: [
            'set -e',
            ...(isZip ? zipScript(given, archive) : tarScript(given, archive)),
            // Removed only at the end: a failed attempt leaves it for the next one, which writes the same name.
            ...(given.remote_src ? [] : [`rm -f -- ${quote(archive)}`]),
          ].join('\n'),
        },
      ],
      result,
      finish(outputs) {
        // Only the target can compare the archive with what is there; its first line says what came of it.
        const [verdict = '', ...files] = outputText(outputs.at(-1))
          .split('\n')
          .filter((line) => line !== '');
        return {
          status: 'ok',
          changed: verdict === 'changed',
          result: {
            ...result,
            handler: isZip ? 'ZipArchive' : 'TgzArchive',
            ...(given.list_files ? { files } : {}),
          },
        };
      },
    };
  },
});

function tarScript(given: UnarchiveArgs, archive: string): string[] {
  const filter = [...given.exclude.map((name) => `--exclude=${name}`), ...given.extra_opts];
  const words = (...mode: string[]): string =>
    command(['tar', ...mode, '-f', archive, '-C', given.dest, ...filter, ...given.include]);
  return [
    'export LC_ALL=C',
    // Owners and times are not compared: they are what the archive's maker had.
    `differs=$(${words('--diff')} 2>&1 | grep -v -E ': (Uid|Gid|Mod time) differs$' | head -n 1 || :)`,
    'verdict=same',
    'if [ -n "$differs" ]; then',
    `  ${words('--extract', ...(given.keep_newer ? ['--keep-newer-files'] : []), ...(given.owner === undefined ? [] : ['--no-same-owner']))} >&2`,
    '  verdict=changed',
    'fi',
    ...attributeScript(given, words('--list', '--quoting-style=literal')),
    'printf \'%s\\n\' "$verdict"',
    ...(given.list_files ? [words('--list', '--quoting-style=literal')] : []),
  ];
}

function zipScript(given: UnarchiveArgs, archive: string): string[] {
  const exclude = given.exclude.length === 0 ? [] : ['-x', ...given.exclude];
  const names = command(['unzip', '-Z1', archive, ...given.include, ...exclude]);
  return [
    'export LC_ALL=C',
    'command -v unzip >/dev/null || { echo "unzip is not installed on the target" >&2; exit 1; }',
    'verdict=same; tmp=$(mktemp -d)',
    'trap \'rm -rf -- "$tmp"\' EXIT',
    // zip tells nothing of what is there already, so the archive is unpacked aside and compared.
    `${command(['unzip', '-qq', archive, ...given.include, ...exclude])} -d "$tmp"`,
    `if [ -n "$(diff -rq -- "$tmp" ${quote(given.dest)} 2>&1 | grep -v -F ${quote(`Only in ${given.dest}`)})" ]; then`,
    `  ${command(['unzip', '-o', '-qq', ...given.extra_opts, archive, ...given.include, ...exclude, '-d', given.dest])} >&2`,
    '  verdict=changed',
    'fi',
    ...attributeScript(given, names),
    'printf \'%s\\n\' "$verdict"',
    ...(given.list_files ? [names] : []),
  ];
}

/** Owner, group and mode are given to everything that is in the archive. */
function attributeScript(given: UnarchiveArgs, listCommand: string): string[] {
  const { owner, group, mode } = given;
  if (owner === undefined && group === undefined && mode === undefined) return [];
  const names = `cd -- ${quote(given.dest)} && ${listCommand} | tr '\\n' '\\0'`;
  const inside = `${names} | xargs -0 -r`;
  // chmod would go through a symbolic link, to wherever the archive's maker had it lead.
  const noLinks = `${inside} sh -c 'for f do if ! [ -L "$f" ]; then printf "%s\\0" "$f"; fi; done' sh | xargs -0 -r`;
  const states = `(${inside} stat -c '%U %G %u %g %a' --) | sort | uniq | sha1sum`;
  return [
    `before=$( ${states})`,
    ...(owner === undefined ? [] : [`(${inside} chown -h -- ${quote(owner)})`]),
    ...(group === undefined ? [] : [`(${inside} chgrp -h -- ${quote(group)})`]),
    ...(mode === undefined ? [] : [`(${noLinks} chmod -- ${quote(mode)})`]),
    `if [ "$before" != "$( ${states})" ]; then verdict=changed; fi`,
  ];
}
