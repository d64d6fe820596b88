import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

import type { FactQuery, FactReader } from '../../src/facts/fact.ts';
import { allModules, findModule } from '../../src/modules/find-module.ts';
import { parseArguments } from '../../src/modules/kit/parse.ts';
import type { ControllerFiles, Plan, PlanContext } from '../../src/steps/plan.ts';
import type { Step, StepOutput } from '../../src/steps/step.ts';
import { parse } from 'yaml';

/** One case of a module, as its file has it. */
export interface Case {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly check?: boolean;
  readonly diff?: boolean;
  readonly user?: string;
  /** Facts by id. Bytes are written as `{bytes: text}`; `default` answers file facts that are not listed. */
  readonly facts?: Readonly<Record<string, unknown>>;
  readonly controller?: Readonly<Record<string, { text?: string; mode?: number }>>;
  readonly problems?: readonly string[];
  readonly plan?: Plan['kind'];
  readonly message?: string;
  readonly diffs?: readonly { subject: string; before: string; after: string }[];
  /** Parts that the steps must contain, step by step. */
  readonly steps?: readonly string[];
  readonly result?: Readonly<Record<string, unknown>>;
  /** What the steps give back, and what `finish` makes of it. */
  readonly outputs?: readonly Record<string, unknown>[];
  readonly outcome?: Readonly<Record<string, unknown>>;
  /** What changed on the target: planning there again must find nothing to do. */
  readonly factsAfter?: Readonly<Record<string, unknown>>;
  /** Why a second run does something again, where it does: a case that plans something has this or `factsAfter`. */
  readonly again?: string;
}

/** Every case file below test/modules/cases, with its module's name. */
export function loadCases(): {
  readonly module: string;
  readonly file: string;
  readonly cases: readonly Case[];
}[] {
  const root = join(import.meta.dirname, 'cases');
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) =>
      readdirSync(join(root, entry.name))
        .filter((name) => name.endsWith('.yml'))
        .map((name) => ({
          module: entry.name,
          file: name,
          cases: parse(readFileSync(join(root, entry.name, name), 'utf8')) as Case[],
        })),
    );
}

/** Values of a case file as facts have them. */
function revive(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(revive);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [only] = entries;
  if (entries.length === 1 && only?.[0] === 'bytes') return Buffer.from(String(only[1]));
  return Object.fromEntries(entries.map(([name, item]) => [name, revive(item)]));
}

/** A fact of a file, most of which a case need not spell out. */
const PLAIN_FILE = {
  exists: true,
  type: 'file',
  mode: 0o644,
  uid: 0,
  gid: 0,
  owner: 'root',
  group: 'root',
  size: 0,
  atime: 0,
  mtime: 0,
  ctime: 0,
  inode: 1,
  device: 1,
  links: 1,
  readable: true,
  writable: true,
  executable: false,
};

export function readerOf(facts: Readonly<Record<string, unknown>>): FactReader {
  const find = (query: FactQuery): { found: boolean; value?: unknown } => {
    if (query.id in facts) {
      const value = revive(facts[query.id]);
      // Text stands for a file with that content.
      if (query.kind.name === 'content' && typeof value === 'string')
        return { found: true, value: { kind: 'file', bytes: Buffer.from(value) } };
      const isFile = query.kind.name === 'file' && typeof value === 'object' && value !== null;
      if (isFile && !('exists' in value && value.exists === false)) {
        return { found: true, value: { ...PLAIN_FILE, ...value } };
      }
      return { found: true, value: value === null ? undefined : value };
    }
    // What is not listed is not there.
    if (query.kind.name === 'file') return { found: true, value: { exists: false } };
    if (query.kind.name === 'content') return { found: true, value: { kind: 'missing' } };
    if (query.kind.name === 'file details') return { found: true, value: undefined };
    if (query.kind.name === 'glob') return { found: true, value: [] };
    return { found: false };
  };
  return {
    has: (query) => find(query).found,
    get<Fact>(query: FactQuery<Fact>): Fact {
      const { found, value } = find(query);
      if (!found) throw new Error(`the case does not have the fact ${query.id}`);
      return value as Fact;
    },
  };
}

function contextOf(given: Case): PlanContext {
  const files = given.controller ?? {};
  const inside = (directory: string): string[] =>
    Object.keys(files).filter((path) => path.startsWith(`${directory.replace(/\/$/, '')}/`));
  const controller: ControllerFiles = {
    find(path) {
      const full = path.startsWith('/') ? path : `/controller/${path}`;
      if (!(full in files) && inside(full).length === 0) throw new Error(`no file ${full}`);
      return full.replace(/\/$/, '');
    },
    resolve: (path) => posix.resolve('/controller', path),
    read: (path) => Buffer.from(files[path]?.text ?? ''),
    content: (path) => Buffer.from(files[path]?.text ?? ''),
    type: (path) => (path in files ? 'file' : inside(path).length > 0 ? 'directory' : 'missing'),
    mode: (path) => files[path]?.mode ?? 0o644,
    list(directory) {
      const start = `${directory.replace(/\/$/, '')}/`;
      const paths = inside(directory).map((path) => path.slice(start.length));
      const directories = new Set(
        paths.flatMap((path) =>
          path
            .split('/')
            .slice(0, -1)
            .map((_, index, all) => all.slice(0, index + 1).join('/')),
        ),
      );
      return [
        ...[...directories].map((path) => ({ path, type: 'directory' as const, mode: 0o755 })),
        ...paths.map((path) => ({ path, type: 'file' as const, mode: files[start + path]?.mode ?? 0o644 })),
      ].sort((a, b) => (a.path < b.path ? -1 : 1));
    },
  };
  return {
    checkMode: given.check ?? false,
    diffMode: given.diff ?? true,
    host: 'web1',
    user: given.user ?? 'root',
    environment: {},
    controller,
    renderTemplate: (source, _file, _options, extra) =>
      source.replaceAll(/\{\{ (\w+) \}\}/g, (_, name: string) => String(extra?.[name] ?? `<${name}>`)),
  };
}

await allModules();

/** Plans until no more facts are needed, as the engine does. */
export function planCase(
  module: string,
  given: Case,
  facts = given.facts ?? {},
): Plan | { problems: readonly string[] } {
  const found = findModule(module);
  if (!found) throw new Error(`no module ${module}`);
  const parsed = parseArguments(found, given.args);
  if ('problems' in parsed) return parsed;
  const context = contextOf(given);
  const reader = readerOf(facts);
  const asked = new Set<string>();
  const ask = (queries: readonly FactQuery[]): void => {
    for (const query of queries) {
      asked.add(query.id);
      if (!reader.has(query)) throw new Error(`the case does not have the fact ${query.id}`);
    }
  };
  // A module may only use what it asked for.
  const guarded: FactReader = {
    has: (query) => asked.has(query.id),
    get(query) {
      if (!asked.has(query.id)) throw new Error(`${module} used the fact ${query.id} without asking for it`);
      return reader.get(query);
    },
  };
  ask(found.facts(parsed.args, context));
  for (let round = 0; round < 6; round++) {
    const plan = found.plan(parsed.args, guarded, context);
    if (plan.kind !== 'need') return plan;
    ask(plan.facts);
  }
  throw new Error(`${module} asks for facts without end`);
}

/** A step as text, to look for parts in. */
export function stepText(step: Step): string {
  switch (step.kind) {
    case 'script':
    case 'wait-script':
      return `${step.kind} ${step.description}\n${step.script}`;
    case 'write':
      return `write ${step.path} ${JSON.stringify(step.attributes)}${step.linkIsNew ? ' over a link' : ''}${step.unsafe ? ' unsafe' : ''}\n${'targetFile' in step.content ? `cat ${step.content.targetFile}` : step.content.toString()}`;
    default:
      return `${step.kind} ${JSON.stringify(step, (_, value: unknown) => (isBufferJson(value) ? Buffer.from(value.data).toString() : value))}`;
  }
}

function isBufferJson(value: unknown): value is { data: number[] } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    value.type === 'Buffer' &&
    'data' in value
  );
}

export function outputOf(value: Record<string, unknown>): StepOutput {
  const bytes = (name: string): Buffer => Buffer.from(String(value[name] ?? ''));
  return {
    status: 0,
    timedOut: false,
    startedAt: new Date(0),
    ms: 5,
    url: '',
    headers: {},
    ...value,
    stdout: bytes('stdout'),
    stderr: bytes('stderr'),
    body: bytes('body'),
  } as unknown as StepOutput;
}
