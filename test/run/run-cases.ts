import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { parse } from 'yaml';

import { parseExtraVariables } from '../../src/commands/provision/extra-variables.ts';
import { UserError } from '../../src/lib/errors.ts';
import { SecretRegistry } from '../../src/lib/secret.ts';
import type { Value } from '../../src/lib/value.ts';
import { loadInventory } from '../../src/inventory/load.ts';
import { loadPlaybook } from '../../src/playbook/load.ts';
import { renderStatic } from '../../src/variables/static.ts';
import { validatePlaybook } from '../../src/validate/validate.ts';
import { exitCode } from '../../src/report/exit-code.ts';
import { taskTitle } from '../../src/report/text.ts';
import type { HostCounts, RunEvent } from '../../src/run/events.ts';
import { runPlaybook } from '../../src/run/run-playbook.ts';
import type { RunSettings } from '../../src/run/world.ts';
import { sshTransport } from '../../src/transport/ssh.ts';

/** A playbook with what it needs; the same is run by Ansible (see oracle.py). */
export interface Case {
  readonly name: string;
  readonly playbook: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly inventory?: string;
  /** Command-line options. */
  readonly options?: readonly string[];
  /** Several runs, one after the other, each with its options. */
  readonly steps?: readonly (readonly string[])[];
  /** Why we do something else than Ansible on purpose; what we do is then in differences.json. */
  readonly differs?: string;
}

/** What can be observed of one run. */
export type RunRecord =
  | {
      readonly exit: number;
      readonly recap: Readonly<Record<string, HostCounts>>;
      readonly trace: readonly string[];
    }
  /** Nothing ran: the playbook could not be loaded. */
  | { readonly error: true };

const CASES = join(import.meta.dirname, 'cases');
const { text: DEFAULT_INVENTORY } = parse(readFileSync(join(CASES, 'inventory.yaml'), 'utf8')) as {
  text: string;
};

export interface CaseFile {
  readonly name: string;
  readonly cases: readonly Case[];
  /** What Ansible does, by the name of the case. */
  readonly records: Readonly<Record<string, readonly RunRecord[]>>;
  /** What we do where that differs. */
  readonly differences: Readonly<Record<string, readonly RunRecord[]>>;
}

/** The cases and what Ansible did with them. */
export function caseFiles(): readonly CaseFile[] {
  const differences = records('differences.json');
  return readdirSync(CASES)
    .filter((name) => name.endsWith('.yml'))
    .sort()
    .map((name) => ({
      name: name.replace(/\.yml$/, ''),
      cases: parse(readFileSync(join(CASES, name), 'utf8')) as Case[],
      records: records(name.replace(/\.yml$/, '.json')),
      differences,
    }));
}

function records(name: string): Record<string, RunRecord[]> {
  return JSON.parse(readFileSync(join(CASES, name), 'utf8')) as Record<string, RunRecord[]>;
}

/** Runs a case in our engine, against this machine. */
export async function runCase(one: Case): Promise<readonly RunRecord[]> {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-case-'));
  try {
    const files = {
      'playbook.yml': one.playbook,
      'inventory.ini': one.inventory ?? DEFAULT_INVENTORY,
      ...one.files,
    };
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(directory, name)), { recursive: true });
      writeFileSync(join(directory, name), content);
    }
    const records: RunRecord[] = [];
    for (const options of one.steps ?? [one.options ?? []]) records.push(await runOnce(directory, options));
    return records;
  } finally {
    rmSync(directory, { recursive: true, force: true });
    forgetNotes(basename(directory));
  }
}

/** Handlers that a case leaves due are noted on this machine. */
function forgetNotes(name: string): void {
  for (const notes of [
    '/var/lib/understudy/due-handlers.d',
    join(process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local/state'), 'understudy/due-handlers.d'),
  ]) {
    if (!existsSync(notes)) continue;
    for (const note of readdirSync(notes)) if (note.startsWith(name)) rmSync(join(notes, note));
  }
}

async function runOnce(directory: string, options: readonly string[]): Promise<RunRecord> {
  const settings = settingsOf(directory, options);
  const lines: Line[] = [];
  const transport = sshTransport();
  try {
    const loaderOptions = { renderStatic: renderStatic(settings.extraVars) };
    const playbook = loadPlaybook(join(directory, 'playbook.yml'), loaderOptions);
    const problems = await validatePlaybook(playbook);
    if (problems.length > 0) throw new UserError(problems);
    const recap = await runPlaybook({
      playbook: { ...playbook, file: `${directory}.yml` },
      inventory: loadInventory(join(directory, 'inventory.ini')),
      loaderOptions,
      transport,
      settings,
      secrets: new SecretRegistry(),
      emit: (event) => lines.push(...linesOf(event)),
      signal: new AbortController().signal,
    });
    return {
      exit: exitCode(recap, { check: false }),
      recap: recap.hosts,
      trace: inHostOrder(lines).map((line) => line.replaceAll(directory, 'DIR')),
    };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { error: true };
  } finally {
    await transport.close();
  }
}

interface Line {
  /** Lines of a task's results are sorted by host. */
  readonly host?: string;
  readonly text: string;
}

const SPEAKING = ['debug', 'fail', 'assert'];

function linesOf(event: RunEvent): readonly Line[] {
  switch (event.type) {
    case 'play':
      return [{ text: `PLAY ${event.name}` }];
    case 'task':
      return [{ text: `${event.handler ? 'HANDLER' : 'TASK'} ${taskTitle(event)}` }];
    case 'result': {
      const item = event.item === undefined ? '' : ` [${event.item}]`;
      const action = event.module.slice(event.module.lastIndexOf('.') + 1);
      const speaks =
        SPEAKING.includes(action) &&
        event.status !== 'skipped' &&
        event.message !== undefined &&
        !(action === 'debug' && event.status === 'failed') &&
        !(action === 'fail' && event.status !== 'failed') &&
        !event.message.includes('no_log');
      const message = speaks ? `: ${event.message}` : '';
      return [{ host: event.host, text: `  ${event.host}${item} ${event.status}${message}` }];
    }
    default:
      return [];
  }
}

function inHostOrder(lines: readonly Line[]): string[] {
  const result: string[] = [];
  let block: Line[] = [];
  const flush = (): void => {
    block.sort((a, b) => ((a.host ?? '') < (b.host ?? '') ? -1 : (a.host ?? '') > (b.host ?? '') ? 1 : 0));
    result.push(...block.map((line) => line.text));
    block = [];
  };
  for (const line of lines) {
    if (line.host !== undefined) {
      block.push(line);
      continue;
    }
    flush();
    result.push(line.text);
  }
  flush();
  return result;
}

function settingsOf(directory: string, options: readonly string[]): RunSettings {
  const flags = new Set<string>();
  const values: Record<string, string[]> = {};
  for (let index = 0; index < options.length; index++) {
    const option = options[index] ?? '';
    if (['--check', '--diff', '--force-handlers'].includes(option)) flags.add(option);
    else (values[option] ??= []).push(options[++index] ?? '');
  }
  const words = (name: string): string[] => (values[name] ?? []).flatMap((text) => text.split(','));
  const extra = (values['--extra-vars'] ?? []).map((text) =>
    parseExtraVariables(text.startsWith('@') ? `@${join(directory, text.slice(1))}` : text),
  );
  return {
    checkMode: flags.has('--check'),
    diffMode: flags.has('--diff'),
    tags: words('--tags'),
    skipTags: words('--skip-tags'),
    extraVars: new Map<Value, Value>(extra.flatMap((dict) => [...dict])),
    limit: values['--limit']?.join(','),
    forks: 5,
    startAtTask: values['--start-at-task']?.[0],
    forceHandlers: flags.has('--force-handlers'),
    verbosity: 0,
    hostKeyChecking: 'strict',
    connectTimeoutMs: 10_000,
  };
}
