import { command, quote } from '../lib/shell.ts';
import type { Step } from '../plan/step.ts';

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
 * Replaces a file atomically: the new content goes to a temporary file beside it, gets its attributes, is validated,
 * reaches the disk, and only then takes the name. A reader sees the old file or the new one, never a part.
 */
function writeScript(step: Extract<Step, { kind: 'write' }>, uploaded: string | undefined): string {
  const { path, attributes } = step;
  const target = quote(path);
  const lines = [
    'set -e',
    `dir=$(dirname ${target})`,
    // What a killed run left behind is recognised by its name.
    `find "$dir" -maxdepth 1 -name '.understudy.*' -user "$(id -u)" -mmin +60 -exec rm -f {} + 2>/dev/null || :`,
    'tmp=$(mktemp "$dir/.understudy.XXXXXXXXXX")',
    `trap 'rm -f "$tmp"' EXIT`,
    uploaded === undefined
      ? receiveContent(step.content)
      : `cat < ${quote(uploaded)} > "$tmp"; rm -f ${quote(uploaded)}`,
    // A new file gets what the umask leaves; an existing one keeps its attributes unless told otherwise.
    `if [ -e ${target} ]; then`,
    `  chown "$(stat -c %u:%g ${target})" "$tmp"; chmod "$(stat -c %a ${target})" "$tmp"`,
    'else',
    `  chmod "$(printf '%o' $((0666 & ~$(umask))))" "$tmp"`,
    'fi',
  ];
  if (attributes.owner !== undefined) lines.push(command(['chown', attributes.owner]) + ' "$tmp"');
  if (attributes.group !== undefined) lines.push(command(['chgrp', attributes.group]) + ' "$tmp"');
  if (attributes.mode !== undefined) lines.push(command(['chmod', attributes.mode]) + ' "$tmp"');
  if (step.validate !== undefined) {
    lines.push(
      `if ! checked=$(${step.validate.replaceAll('%s', '"$tmp"')} 2>&1); then`,
      `  printf 'validation failed, %s is left as it was:\\n%s\\n' ${target} "$checked" >&2; exit 1`,
      'fi',
    );
  }
  lines.push('sync "$tmp"');
  if (step.backup) {
    lines.push(`if [ -e ${target} ]; then cp -p ${target} ${target}".$$.$(date +%Y-%m-%d@%H:%M:%S~)"; fi`);
  }
  lines.push(`mv -fT "$tmp" ${target}`, 'sync "$dir"', 'trap - EXIT');
  return lines.join('\n');
}

/** Text that a here-document can carry is sent as it is; anything else as base64. */
function receiveContent(content: Buffer): string {
  const encoded = content.toString('base64').replaceAll(/(.{76})/g, '$1\n');
  return `base64 -d > "$tmp" <<'UNDERSTUDY_CONTENT'\n${encoded}\nUNDERSTUDY_CONTENT`;
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
