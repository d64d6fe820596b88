import { posix } from 'node:path';

import { directory } from '../facts/directory.ts';
import { query, type FactQuery, type FactReader } from '../facts/fact.ts';
import { file as fileFact, type ExistingFile, type FileFact } from '../facts/file.ts';
import { quote } from '../lib/shell.ts';
import type { Plan, Result } from '../steps/plan.ts';
import type { FileAttributes } from '../steps/step.ts';
import { fileAliases } from './kit/arguments.ts';
import { attributeChange, attributesOf } from './parts/attributes.ts';
import { defineModule } from './kit/define.ts';
import { attributeCommands, makeDirectories } from './parts/directories.ts';
import { fileArgs, type FileArgs } from './parts/file-arguments.ts';
import { attributeWork, fileResult, workPlan, placedAt } from './parts/file-plan.ts';
import { planLink } from './parts/file-link.ts';

/** Files, directories, links: whether they exist, and with which attributes. */
export const file = defineModule({
  name: 'ansible.builtin.file',
  summary: 'Creates, removes and sets the attributes of files, directories and links.',
  example: `
- name: Have the directory
  ansible.builtin.file:
    path: /srv/app
    state: directory
    owner: www-data
    mode: '0750'
`,
  args: fileArgs,
  aliases: { path: ['dest', 'name'], ...fileAliases },
  paths: ['path'],
  afterwards: (result) => placedAt('path' in result ? 'path' : 'dest')(result),
  facts: (given) => [
    query(fileFact, { path: given.path }),
    ...(given.recurse ? [query(directory, { path: given.path })] : []),
  ],
  plan(given, facts): Plan {
    const current = facts.get(query(fileFact, { path: given.path }));
    switch (given.state) {
      case 'absent':
        return planAbsent(given.path, current);
      case 'link':
      case 'hard':
        return planLink(given, given.state, current, facts);
      case 'touch':
        return planTouch(given, current, facts);
      case 'directory':
        return planDirectory(given, current, facts);
      case 'file':
        return planAttributes(given, current, facts);
      case undefined:
        return given.recurse ? planDirectory(given, current, facts) : planAttributes(given, current, facts);
    }
  },
});

function planAbsent(path: string, current: FileFact): Plan {
  const result = { path, state: 'absent' };
  if (!current.exists) return { kind: 'unchanged', result };
  return {
    kind: 'change',
    diffs: [{ subject: path, before: `state: ${current.type}\n`, after: 'state: absent\n' }],
    steps: [{ kind: 'script', description: `remove ${path}`, script: `rm -rf -- ${quote(path)}` }],
    result,
  };
}

/** What a link leads to, where attributes are meant for that. */
function followed(
  given: FileArgs,
  current: FileFact,
  facts: FactReader,
): { readonly path: string; readonly file: FileFact } | { readonly need: readonly FactQuery[] } {
  if (!given.follow || !current.exists || current.type !== 'link') return { path: given.path, file: current };
  const needed = query(fileFact, { path: given.path, follow: true });
  if (!facts.has(needed)) return { need: [needed] };
  return { path: current.realPath ?? given.path, file: facts.get(needed) };
}

function planAttributes(given: FileArgs, current: FileFact, facts: FactReader): Plan {
  // Without a state, a link that leads nowhere is still a link that exists.
  const target = followed(given, current, facts);
  if ('need' in target) return { kind: 'need', facts: target.need };
  const result = { path: target.path, ...fileResult(target.file, attributesOf(given)) };
  if (!target.file.exists) {
    return {
      kind: 'failed',
      message: `file (${given.path}) is absent, cannot continue`,
      result: { path: given.path, state: 'absent' },
    };
  }
  if (given.state === 'file' && target.file.type !== 'file') {
    return {
      kind: 'failed',
      message: `file (${target.path}) is ${target.file.type}, cannot continue`,
      result: { path: target.path, state: target.file.type },
    };
  }
  return workPlan(attributeWork(target.path, attributesOf(given), target.file, facts), result);
}

function planDirectory(given: FileArgs, current: FileFact, facts: FactReader): Plan {
  const attributes = attributesOf(given);
  if (!current.exists) return createDirectory(given.path, attributes);
  const target = followed(given, current, facts);
  if ('need' in target) return { kind: 'need', facts: target.need };
  if (!target.file.exists || target.file.type !== 'directory') {
    const type = target.file.exists ? target.file.type : 'link that leads nowhere';
    return {
      kind: 'failed',
      message: `${target.path} already exists as a ${type}`,
      result: { path: target.path },
    };
  }
  const result: Result = { path: target.path, ...fileResult(target.file, attributes) };
  const work = attributeWork(target.path, attributes, target.file, facts);
  if (!given.recurse || 'need' in work) return workPlan(work, result);
  const below = recurse(given.path, attributes, facts);
  if ('need' in below) return workPlan(below, result);
  return workPlan({ diffs: [...work.diffs, ...below.diffs], steps: [...work.steps, ...below.steps] }, result);
}

/** Creates a directory and those above it that are missing; all new ones get the attributes, as Ansible has it. */
export function createDirectory(path: string, attributes: FileAttributes): Plan {
  const commands = attributeCommands(attributes);
  return {
    kind: 'change',
    diffs: [{ subject: path, before: 'state: absent\n', after: 'state: directory\n' }],
    steps: [
      {
        kind: 'script',
        description: `create directory ${path}`,
        script: ['set -e', ...makeDirectories(path, commands)].join('\n'),
      },
    ],
    result: { path, ...fileResult({ exists: false }, attributes), state: 'directory' },
  };
}

function recurse(path: string, attributes: FileAttributes, facts: FactReader) {
  const listing = facts.get(query(directory, { path }));
  const need: FactQuery[] = [];
  const before: string[] = [];
  const after: string[] = [];
  const lines: string[] = [];
  for (const entry of listing.exists ? listing.entries : []) {
    const full = posix.join(path, entry.path);
    const found: ExistingFile = { exists: true, ...entry, readable: true, writable: true, executable: true };
    const change = attributeChange(full, attributes, found, facts);
    if ('need' in change) {
      need.push(...change.need);
    } else if (change.script.length > 0) {
      const text = (values: Readonly<Record<string, string>>): string =>
        `${full}: ${Object.entries(values)
          .map(([name, value]) => `${name} ${value}`)
          .join(', ')}\n`;
      before.push(text(change.before));
      after.push(text(change.after));
      lines.push(...change.script);
    }
  }
  if (need.length > 0) return { need: [...new Map(need.map((item) => [item.id, item])).values()] };
  if (lines.length === 0) return { diffs: [], steps: [] };
  return {
    diffs: [{ subject: `${path} (attributes below)`, before: before.join(''), after: after.join('') }],
    steps: [
      {
        kind: 'script' as const,
        description: `set attributes below ${path}`,
        script: ['set -e', ...lines].join('\n'),
      },
    ],
  };
}

function planTouch(given: FileArgs, current: FileFact, facts: FactReader): Plan {
  const attributes = attributesOf(given);
  const times = [
    touch(given.path, '-m', given.modification_time ?? 'now'),
    touch(given.path, '-a', given.access_time ?? 'now'),
  ].filter((line) => line !== undefined);
  const result = { dest: given.path, ...fileResult(current, attributes) };
  if (!current.exists) {
    const word = quote(given.path);
    return {
      kind: 'change',
      diffs: [{ subject: given.path, before: 'state: absent\n', after: 'state: touch\n' }],
      steps: [
        {
          kind: 'script',
          description: `create ${given.path}`,
          script: [
            'set -e',
            `[ -e ${word} ] || : > ${word}`,
            ...times,
            ...attributeCommands(attributes).map((run) => run(word)),
          ].join('\n'),
        },
      ],
      result,
    };
  }
  const target = followed(given, current, facts);
  if ('need' in target) return { kind: 'need', facts: target.need };
  const work = target.file.exists
    ? attributeWork(target.path, attributes, target.file, facts)
    : { diffs: [], steps: [] };
  if ('need' in work || times.length === 0) return workPlan(work, result);
  return {
    kind: 'change',
    diffs: [...work.diffs, { subject: given.path, before: 'times: as they were\n', after: 'times: set\n' }],
    steps: [
      ...work.steps,
      { kind: 'script', description: `touch ${given.path}`, script: ['set -e', ...times].join('\n') },
    ],
    result,
  };
}

function touch(path: string, which: '-a' | '-m', time: string): string | undefined {
  if (time === 'preserve') return undefined;
  return `touch ${which}${time === 'now' ? '' : ` -t ${quote(time)}`} -- ${quote(path)}`;
}
