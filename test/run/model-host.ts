import { createHash } from 'node:crypto';
import { posix } from 'node:path';

import type { FactQuery } from '../../src/facts/fact.ts';
import type { FileFact, FileKey } from '../../src/facts/file.ts';
import type { UnitKey } from '../../src/facts/unit.ts';
import { unitName } from '../../src/facts/unit.ts';
import type { Applied, ApplyOptions, Host } from '../../src/run/host/host.ts';
import { StepFailure } from '../../src/run/host/step-failure.ts';
import type { Step, StepOutput } from '../../src/steps/step.ts';
import type { ScriptResult } from '../../src/transport/transport.ts';

/** What a package brings besides itself. */
interface Brings {
  readonly files: readonly string[];
  readonly unit: string;
  readonly group: string;
}

export const PACKAGES: Readonly<Record<string, Brings>> = {
  web: { files: ['/d/a', '/d/web.conf'], unit: 'web', group: 'web' },
  db: { files: ['/d/b'], unit: 'db', group: 'db' },
};

/** A machine as the model has it: what the modules of the property can read and change, and nothing else. */
export interface Machine {
  /** Directories have no content. */
  readonly files: Map<string, { readonly content: string | undefined; readonly mode: number }>;
  readonly packages: Set<string>;
  readonly groups: Set<string>;
  readonly units: Map<string, { readonly active: boolean; readonly enabled: boolean }>;
}

export type Machines = ReadonlyMap<string, Machine>;

export function newMachine(): Machine {
  return {
    files: new Map([['/d', { content: undefined, mode: 0o755 }]]),
    packages: new Set(),
    groups: new Set(['root']),
    units: new Map(),
  };
}

/** All that is on a machine, to be compared. */
export function snapshot(machine: Machine): unknown {
  return {
    files: [...machine.files].sort(),
    packages: [...machine.packages].sort(),
    groups: [...machine.groups].sort(),
    units: [...machine.units].sort(),
  };
}

/** A host whose facts are answered from the model, and whose steps change the model: real modules, no shell. */
export function modelHost(name: string, machineName: string, machines: Machines): Host {
  const machine = machineOf(machines, machineName);
  return {
    name,
    machines: new Set([machineName]),
    open: () => Promise.resolve(),
    read: (_actor, queries) => Promise.resolve(readAll(machine, queries)),
    apply(_actor, steps, options) {
      return Promise.resolve().then(() => applyAll(machine, machines, steps, options));
    },
    script: () =>
      Promise.resolve<ScriptResult>({
        status: 0,
        stdout: Buffer.alloc(0),
        stderr: Buffer.alloc(0),
        timedOut: false,
      }),
    disconnect: () => Promise.resolve(),
  };
}

function machineOf(machines: Machines, name: string): Machine {
  const machine = machines.get(name);
  if (!machine) throw new Error(`the model has no machine ${name}`);
  return machine;
}

function readAll(machine: Machine, queries: readonly FactQuery[]): ReadonlyMap<string, unknown> {
  return new Map(queries.map((one) => [one.id, read(machine, one)]));
}

/** What the fact kinds' own scripts would find. */
function read(machine: Machine, { kind, key }: FactQuery): unknown {
  const entry = (path: string) => machine.files.get(path);
  switch (kind.name) {
    case 'file':
      return fileFact(machine, key as FileKey);
    case 'content': {
      const found = entry(key as string);
      if (!found) return { kind: 'missing' };
      return found.content === undefined
        ? { kind: 'directory' }
        : { kind: 'file', bytes: Buffer.from(found.content) };
    }
    // Nothing in the model has blocks or flags.
    case 'file details':
      return undefined;
    case 'glob':
      return machine.files.has(key as string) ? [key] : [];
    case 'group':
      return machine.groups.has(key as string) ? { name: key, gid: 500, members: [] } : undefined;
    case 'package':
      return machine.packages.has(key as string)
        ? { installed: true, version: '1', broken: false, hasConfig: false, held: false, providedBy: [] }
        : { installed: false, broken: false, hasConfig: false, held: false, providedBy: [] };
    case 'unit': {
      const unit = machine.units.get(unitName((key as UnitKey).name));
      return {
        properties: {
          LoadState: unit ? 'loaded' : 'not-found',
          ActiveState: unit?.active ? 'active' : 'inactive',
          UnitFileState: unit ? (unit.enabled ? 'enabled' : 'disabled') : '',
        },
      };
    }
    case 'due-handlers':
      return [];
    default:
      throw new Error(`the model has no facts of kind ${kind.name}`);
  }
}

function fileFact(machine: Machine, key: FileKey): FileFact {
  const found = machine.files.get(key.path);
  if (!found) return { exists: false };
  const { content, mode } = found;
  return {
    exists: true,
    type: content === undefined ? 'directory' : 'file',
    mode,
    uid: 0,
    gid: 0,
    owner: 'root',
    group: 'root',
    size: content?.length ?? 0,
    atime: 0,
    mtime: 0,
    ctime: 0,
    inode: 1,
    device: 1,
    links: 1,
    readable: true,
    writable: true,
    executable: false,
    ...(key.checksum && content !== undefined
      ? { checksum: createHash(key.checksum).update(content).digest('hex') }
      : {}),
  };
}

function applyAll(
  machine: Machine,
  machines: Machines,
  steps: readonly Step[],
  options: ApplyOptions,
): Applied {
  const outputs = steps.map((step) => apply(machine, machines, step));
  return { outputs, facts: readAll(machine, options.refresh) };
}

function apply(machine: Machine, machines: Machines, step: Step): StepOutput {
  switch (step.kind) {
    case 'write': {
      const content = Buffer.isBuffer(step.content) ? step.content.toString() : '';
      const { mode } = step.attributes;
      const old = machine.files.get(step.path);
      putFile(
        machine,
        step.path,
        content,
        mode === undefined ? (old?.mode ?? 0o644) : Number.parseInt(mode, 8),
      );
      return { kind: 'done' };
    }
    case 'script':
      for (const line of step.script.split('\n')) runLine(machine, line.trim(), step.description);
      return exit(0);
    case 'command': {
      const { run } = step;
      return exit(runCommand(machine, machines, 'argv' in run ? run.argv.join(' ') : run.shell));
    }
    case 'wait-script': {
      // What is waited for has come when the wait is over.
      const path = /^(! )?\[ -e (\S+) \]$/.exec(step.script);
      if (!path?.[2]) throw new Error(`the model cannot wait by ${step.script}`);
      if (path[1]) remove(machine, path[2]);
      else if (!machine.files.has(path[2])) putFile(machine, path[2], 'appeared', 0o644);
      return exit(0);
    }
    case 'pause':
      // Meanwhile something that takes its time has ended on every machine.
      for (const one of machines.values()) putFile(one, '/d/c', 'after a pause', 0o644);
      return { kind: 'done' };
    default:
      throw new Error(`the model cannot do a step ${step.kind}`);
  }
}

function exit(status: number): StepOutput {
  const nothing = Buffer.alloc(0);
  return {
    kind: 'exit',
    status,
    stdout: nothing,
    stderr: nothing,
    timedOut: false,
    startedAt: new Date(0),
    ms: 0,
  };
}

function putFile(machine: Machine, path: string, content: string | undefined, mode: number): void {
  const parent = posix.dirname(path);
  if (parent !== '/' && machine.files.get(parent)?.content !== undefined)
    throw new StepFailure(path, 1, `${parent}: Not a directory`);
  if (parent !== '/' && !machine.files.has(parent))
    throw new StepFailure(path, 1, `${parent}: No such directory`);
  if (content !== undefined && machine.files.has(path) && machine.files.get(path)?.content === undefined)
    throw new StepFailure(path, 1, `${path}: Is a directory`);
  machine.files.set(path, { content, mode });
}

function remove(machine: Machine, path: string): void {
  for (const other of machine.files.keys())
    if (other === path || other.startsWith(`${path}/`)) machine.files.delete(other);
}

/** The lines of the modules' own scripts, as far as the property's tasks come to them. */
function runLine(machine: Machine, line: string, what: string): void {
  const words = line.split(/\s+/);
  const last = words.at(-1) ?? '';
  const made = /^\[ -d (\S+) \] \|\| \{ mkdir -- \S+; .*\}$|^\[ -d (\S+) \] \|\| \{ mkdir -- \S+; \}$/.exec(
    line,
  );
  const path = made?.[1] ?? made?.[2];
  if (path !== undefined) {
    if (machine.files.get(path)?.content !== undefined || !machine.files.has(path))
      putFile(machine, path, undefined, 0o755);
  } else if (line.startsWith('[ -e ') && line.includes('|| : >')) {
    if (!machine.files.has(last)) putFile(machine, last, '', 0o644);
  } else if (line.startsWith('rm -rf -- ')) remove(machine, last);
  else if (line.startsWith('mkdir -p -- ')) {
    if (!machine.files.has(last)) putFile(machine, last, undefined, 0o755);
  } else if (line.startsWith('chmod ')) {
    const found = machine.files.get(last);
    if (!found) throw new StepFailure(what, 1, `${last}: no such file`);
    machine.files.set(last, { ...found, mode: Number.parseInt(words[1] ?? '', 8) });
  } else if (words[0] === 'groupadd') machine.groups.add(last);
  else if (words[0] === 'groupdel') machine.groups.delete(last);
  else if (words[0] === 'apt-get' && words.includes('install')) install(machine, last);
  else if (words[0] === 'apt-get' && words.includes('remove')) uninstall(machine, last);
  else if (words[0] === 'systemctl' && !words.includes('status')) {
    const verb = words.find((word) => ['start', 'stop', 'restart', 'enable', 'disable'].includes(word));
    const unit = words[words.indexOf('--') + 1] ?? '';
    if (verb) setUnit(machine, unit, verb);
  }
}

function setUnit(machine: Machine, name: string, verb: string): void {
  const unit = machine.units.get(name);
  if (!unit) throw new StepFailure(name, 5, 'unit not found');
  const { active, enabled } = unit;
  if (verb === 'enable' || verb === 'disable')
    machine.units.set(name, { active, enabled: verb === 'enable' });
  else machine.units.set(name, { active: verb !== 'stop', enabled });
}

function install(machine: Machine, name: string): void {
  const brings = PACKAGES[name];
  if (!brings) throw new StepFailure(name, 100, 'no such package');
  if (machine.packages.has(name)) return;
  machine.packages.add(name);
  for (const path of brings.files) if (!machine.files.has(path)) putFile(machine, path, `of ${name}`, 0o644);
  machine.units.set(unitName(brings.unit), { active: true, enabled: true });
  machine.groups.add(brings.group);
}

function uninstall(machine: Machine, name: string): void {
  const brings = PACKAGES[name];
  if (!brings || !machine.packages.delete(name)) return;
  for (const path of brings.files) remove(machine, path);
  machine.units.delete(unitName(brings.unit));
  machine.groups.delete(brings.group);
}

/** The user's commands: words of the model's own, several of them parted by semicolons. */
function runCommand(machine: Machine, machines: Machines, text: string): number {
  for (const part of text.split(';').map((one) => one.trim())) {
    const [verb = '', word = '', ...rest] = part.split(/\s+/);
    try {
      if (verb === 'touch') {
        if (!machine.files.has(word)) putFile(machine, word, '', 0o644);
      } else if (verb === 'rm') remove(machine, word);
      else if (verb === 'flip') {
        if (machine.files.has(word)) remove(machine, word);
        else putFile(machine, word, 'flipped', 0o644);
      } else if (verb === 'install') install(machine, word);
      else if (verb === 'purge') uninstall(machine, word);
      else if (verb === 'groupadd') machine.groups.add(word);
      else if (verb === 'stop') {
        if (machine.units.has(word)) setUnit(machine, word, 'stop');
      } else if (verb === 'on') {
        // As by ssh.
        const status = runCommand(machineOf(machines, word), machines, rest.join(' '));
        if (status !== 0) return status;
      } else if (verb === 'exit') return Number(word);
      else if (verb !== 'true') throw new Error(`the model has no command ${verb}`);
    } catch (error) {
      if (error instanceof StepFailure) return 1;
      throw error;
    }
  }
  return 0;
}
