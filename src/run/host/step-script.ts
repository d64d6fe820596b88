import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { posix } from 'node:path';

import { command, quote } from '../../lib/shell.ts';
import {
  NO_PROGRAM,
  type FileAttributes,
  type FileContent,
  type Step,
  type TargetFile,
} from '../../steps/step.ts';

/** The steps that a target does by itself, as a script; the others need the engine. */
export type ScriptedStep = Extract<Step, { kind: 'script' | 'write' | 'command' }>;

export function isScripted(step: Step): step is ScriptedStep {
  return step.kind === 'script' || step.kind === 'write' || step.kind === 'command';
}

/** POSIX sh that does the step. `uploaded` is the remote path of a file's content that was sent ahead. */
export function stepScript(
  step: ScriptedStep,
  environment: Readonly<Record<string, string>>,
  uploaded?: string,
): string {
  const exports = Object.entries(environment).map(([name, value]) => `export ${name}=${quote(value)}`);
  switch (step.kind) {
    case 'script':
      return [...exports, step.script].join('\n');
    case 'write':
      return writeScript(step, uploaded);
    case 'command':
      return [...exports, commandScript(step)].join('\n');
  }
}

/**
 * Where the new content of a file is gathered: beside it, so that it can take the name in one step. The name depends on
 * the file alone: what a killed run left behind is replaced by the next one.
 */
export function temporaryPath(path: string): string {
  const name = `.understudy.${createHash('sha256').update(path).digest('hex').slice(0, 16)}`;
  return posix.join(posix.dirname(path), name);
}

/**
 * Replaces a file atomically: the new content goes to a temporary file beside it, gets its attributes, is validated,
 * reaches the disk, and only then takes the name. A reader sees the old file or the new one, never a part.
 */
function writeScript(step: Extract<Step, { kind: 'write' }>, uploaded: string | undefined): string {
  const { path, attributes } = step;
  const target = quote(path);
  const beside = quote(temporaryPath(path));
  const elsewhere = quote(posix.join('/tmp', posix.basename(temporaryPath(path))));
  const temporary = step.unsafe ? '"$us_temporary"' : beside;
  const isThere = uploaded === temporaryPath(path);
  const { owner, group, mode } = attributes;
  // An octal mode needs no other before it, and a secret must never be readable for a moment.
  const hasOctal = isOctal(mode);
  const lines = [
    'set -eC',
    ...(hasOctal ? [] : [`us_umask=$(umask); us_mode=$(printf '%o' $((0666 & ~$us_umask)))`]),
    'umask 077',
    ...(step.unsafe
      ? [
          `us_temporary=${beside}`,
          `if ! [ -w ${quote(posix.dirname(path))} ]; then us_temporary=${elsewhere}; fi`,
        ]
      : []),
    // Every program costs the target some milliseconds: none is started where the shell itself can tell.
    ...(isThere ? [] : [`if [ -e ${temporary} ] || [ -L ${temporary} ]; then rm -f ${temporary}; fi`]),
    `trap 'rm -f '${quote(temporary)} EXIT`,
    // Noclobber (-C) refuses to follow a link that somebody put there in the meantime.
    ...(uploaded === undefined
      ? [receiveContent(step.content, temporary)]
      : isThere
        ? []
        : [`cat < ${quote(uploaded)} > ${temporary}; rm -f ${quote(uploaded)}`]),
  ];
  // A new file gets what the umask leaves; an existing one keeps its attributes unless told otherwise. A symbolic link
  // has no mode but 0777, so it is what it leads to that counts.
  const keepsMode = hasOctal ? [] : [`  us_mode=$(stat -L -c '%a' ${target})`];
  const keepsOwner =
    owner !== undefined && group !== undefined
      ? []
      : [
          `  if ! [ -O ${target} ] || ! [ -G ${target} ] || ! [ -G ${temporary} ]; then`,
          `    chown "$(stat -L -c '%u:%g' ${target})" ${temporary} 2>/dev/null || [ "$(id -u)" -ne 0 ]`,
          '  fi',
        ];
  if (keepsMode.length + keepsOwner.length > 0)
    lines.push(
      `if [ -e ${target} ]${step.linkIsNew ? ` && ! [ -L ${target} ]` : ''}; then`,
      ...keepsMode,
      ...keepsOwner,
      'fi',
    );
  if (!hasOctal) lines.push(`chmod "$us_mode" ${temporary}`);
  lines.push(...attributeLines(attributes, temporary));
  if (step.validate !== undefined) {
    const validate = (word: string): string => step.validate?.replaceAll('%s', () => word) ?? '';
    const either = `if [ "$us_temporary" = ${beside} ]; then ${validate(beside)}; else ${validate(elsewhere)}; fi`;
    lines.push(
      `if ! us_said=$(${step.unsafe ? either : validate(beside)} 2>&1); then`,
      `  printf 'validation failed, %s is left as it was:\\n%s\\n' ${target} "$us_said" >&2; exit 1`,
      'fi',
    );
  }
  lines.push(`sync ${temporary}`);
  if (step.backup) {
    lines.push(
      `if [ -e ${target} ]; then us_number=$$; us_time=$(date +%Y-%m-%d@%H:%M:%S~)`,
      // One shell does all tasks, and may do two within a second.
      `  while us_backup=${target}.$us_number.$us_time; [ -e "$us_backup" ]; do us_number=$((us_number + 1)); done`,
      `  cp -p ${target} "$us_backup"; printf '%s' "$us_backup"; fi`,
    );
  }
  // When the rename itself reaches the disk is for the file system: until then the old file is there, and whole.
  lines.push(...(step.unsafe ? placeOrWriteInto(step, temporary) : place(temporary, target)), 'trap - EXIT');
  return lines.join('\n');
}

/** Owner, group and mode of the file that a shell word names. */
function attributeLines({ owner, group, mode }: FileAttributes, word: string): string[] {
  const lines: string[] = [];
  if (owner !== undefined && group !== undefined) {
    lines.push(`${command(['chown', `${owner}:${group}`])} ${word}`);
  } else if (owner !== undefined) lines.push(`${command(['chown', owner])} ${word}`);
  else if (group !== undefined) lines.push(`${command(['chgrp', group])} ${word}`);
  if (mode !== undefined) {
    const chmod = `${command(['chmod', mode])} ${word}`;
    // Where a symbolic mode names nobody, the umask has a word in it: the one that was found, not ours.
    lines.push(isOctal(mode) ? chmod : `(umask "$us_umask"; ${chmod})`);
  }
  return lines;
}

function isOctal(mode: string | undefined): boolean {
  return mode !== undefined && /^[0-7]+$/.test(mode);
}

function place(temporary: string, target: string): string[] {
  return [
    `mv -fT ${temporary} ${target} || {`,
    `  if grep -qF " $(readlink -f ${target}) " /proc/self/mountinfo; then`,
    `    printf '%s is a mount point, so it cannot be replaced; mount its directory, or set unsafe_writes: true to write into it\\n' ${target} >&2`,
    '  fi; exit 1; }',
  ];
}

/** What cannot be replaced is written into: a reader may see a part. */
function placeOrWriteInto(step: Extract<Step, { kind: 'write' }>, temporary: string): string[] {
  const target = quote(step.path);
  return [
    `if ! us_said=$(mv -fT ${temporary} ${target} 2>&1); then`,
    `  if ! [ -f ${target} ]; then printf '%s\\n' "$us_said" >&2; exit 1; fi`,
    `  set +C; cat < ${temporary} > ${target}; rm -f ${temporary}`,
    ...attributeLines(step.attributes, target),
    'fi',
  ];
}

/** Content travels within the script: it is in no argument list, and needs no second channel. Bytes go as base64. */
function receiveContent(content: FileContent | TargetFile, temporary: string): string {
  if ('targetFile' in content) return `cat < ${quote(content.targetFile)} > ${temporary}`;
  if (!Buffer.isBuffer(content)) throw new Error(`${content.localFile} was not sent ahead`);
  // The shell's own printf: no process, and no process list.
  if (isUtf8(content) && !content.includes(0))
    return `printf '%s' ${quote(content.toString())} > ${temporary}`;
  return `base64 -d > ${temporary} <<'UNDERSTUDY_CONTENT'\n${base64Lines(content)}\nUNDERSTUDY_CONTENT`;
}

function base64Lines(content: Buffer): string {
  return content.toString('base64').replaceAll(/(.{76})/g, '$1\n');
}

function commandScript(step: Extract<Step, { kind: 'command' }>): string {
  const lines: string[] = [];
  if (step.chdir !== undefined) lines.push(`cd ${quote(step.chdir)} || exit 2`);
  const line =
    'argv' in step.run
      ? command(step.run.argv)
      : step.run.executable === undefined || step.run.executable === '/bin/sh'
        ? `eval ${quote(step.run.shell)}`
        : command([step.run.executable, '-c', step.run.shell]);
  // Whether there is no such program must not be told by a status that programs use, too.
  const [program] = 'argv' in step.run ? step.run.argv : [];
  if (program !== undefined)
    lines.push(
      `command -v ${quote(program)} >/dev/null 2>&1 || { printf '%s\\n' ${quote(NO_PROGRAM)} >&2; exit 127; }`,
    );
  if (step.stdin === undefined) {
    lines.push(line);
  } else {
    const encoded = Buffer.from(step.stdin)
      .toString('base64')
      .replaceAll(/(.{76})/g, '$1\n');
    lines.push(`base64 -d <<'UNDERSTUDY_STDIN' | {\n${encoded}\nUNDERSTUDY_STDIN\n${line}\n}`);
  }
  return lines.join('\n');
}
