import { deepStrictEqual } from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';

import test from 'ava';
import fc from 'fast-check';

import { loadInventory } from '../../src/inventory/load.ts';
import { SecretRegistry } from '../../src/lib/secret.ts';
import type { Playbook } from '../../src/playbook/ast.ts';
import { loadPlaybook } from '../../src/playbook/load.ts';
import type { RunEvent } from '../../src/run/events.ts';
import { runPlaybook } from '../../src/run/run-playbook.ts';
import { recordingTransport } from '../../src/transport/recording.ts';
import { renderStatic } from '../../src/variables/static.ts';
import { modelHost, newMachine, snapshot, type Machine } from './model-host.ts';

/** Names of the inventory and the machines that they lead to: `h3` is another name of `h1`'s. */
const MACHINES: Readonly<Record<string, string>> = { h1: 'm1', h2: 'm2', h3: 'm1' };
const HOSTS = Object.keys(MACHINES);

/** More runs are worth it after a change to the engine: `UNDERSTUDY_RUNS=20000 npx ava test/run/ahead.property.test.ts`. */
const RUNS = Number(process.env['UNDERSTUDY_RUNS'] ?? 400);

const path = fc.constantFrom('/d/a', '/d/b', '/d/c', '/d/e', '/d/e/f');
const packageName = fc.constantFrom('web', 'db');

/** What a command does, in the words of the model. */
const commandText = fc
  .oneof(
    path.map((one) => `touch ${one}`),
    path.map((one) => `rm ${one}`),
    path.map((one) => `flip ${one}`),
    packageName.map((one) => `install ${one}`),
    packageName.map((one) => `purge ${one}`),
    packageName.map((one) => `groupadd ${one}`),
    packageName.map((one) => `stop ${one}.service`),
    fc.tuple(fc.constantFrom('m1', 'm2'), path).map(([machine, one]) => `on ${machine} flip ${one}`),
  )
  .chain((text) => fc.constantFrom(text, text, `${text}; exit 3`));

/** A task's module, as YAML. */
const reading = fc.oneof(
  path.map((one) => `stat: {path: "${one}"}`),
  path.map((one) => `slurp: {src: "${one}"}`),
);
const changing = fc.oneof(
  path.map((one) => `copy: {dest: "${one}", content: copied}`),
  path.map((one) => `lineinfile: {path: "${one}", line: "{{ inventory_hostname }}", create: true}`),
  fc
    .tuple(path, fc.constantFrom('absent', 'directory'))
    .map(([one, state]) => `file: {path: "${one}", state: ${state}}`),
  path.map(
    (one) => `file: {path: "${one}", state: touch, modification_time: preserve, access_time: preserve}`,
  ),
  path.map((one) => `file: {path: "${one}", mode: '0600'}`),
  fc
    .tuple(packageName, fc.constantFrom('present', 'absent'))
    .map(([name, state]) => `apt: {name: ${name}, state: ${state}}`),
  fc
    .tuple(packageName, fc.constantFrom('started', 'stopped'))
    .map(([name, state]) => `systemd_service: {name: ${name}, state: ${state}, enabled: true}`),
  fc
    .tuple(packageName, fc.constantFrom('present', 'absent'))
    .map(([name, state]) => `group: {name: ${name}, state: ${state}}`),
);
const acting = fc.oneof(
  commandText.map((text) => `shell: ${text}`),
  commandText.map((text) => `raw: ${text}`),
  fc
    .tuple(commandText, path, fc.constantFrom('creates', 'removes'))
    .map(([text, one, word]) => `shell: {cmd: "${text}", ${word}: "${one}"}`),
  fc
    .tuple(path, fc.constantFrom('present', 'absent'))
    .map(([one, state]) => `wait_for: {path: "${one}", state: ${state}}`),
  fc.constant('pause: {seconds: 1}'),
);

/** Keywords, as lines of YAML. */
const keywords = fc
  .record(
    {
      changed: fc.constantFrom('changed_when: false', 'changed_when: true', 'changed_when: r is changed'),
      failed: fc.constantFrom('failed_when: false', 'ignore_errors: true', 'ignore_errors: true'),
      delegated: fc.constantFrom(...HOSTS, 'h9').map((host) => `delegate_to: ${host}`),
      once: fc.constant('run_once: true'),
      notify: fc.constantFrom('notify: one', 'notify: two'),
      when: fc.constantFrom(
        ...['r is changed', 'r is not failed', "inventory_hostname == 'h1'"].map((text) => `when: ${text}`),
      ),
      check: fc.constant('check_mode: true'),
    },
    { requiredKeys: [] },
  )
  .map((lines) => Object.values(lines));

type Node = readonly string[];

const task = fc
  .tuple(
    fc.oneof(
      { weight: 3, arbitrary: reading },
      { weight: 3, arbitrary: changing },
      { weight: 2, arbitrary: acting },
    ),
    fc.oneof(fc.constant([] as string[]), keywords),
    fc.boolean(),
  )
  .map(([module, more, looped]): Node => {
    const loops = looped && module.includes('/d/') && !more.some((line) => line.includes(' r '));
    const text = loops ? module.replace(/\/d\/[a-z/.]+/, '/d/{{ item }}') : module;
    return [text, 'register: r', ...(loops ? ['loop: [b, e, a]'] : []), ...more];
  });

/** Handlers that notify each other would run for ever, in both engines. */
const handler = task.map((lines): Node => lines.filter((line) => !line.startsWith('notify')));

const block = fc
  .tuple(
    fc.array(task, { minLength: 1, maxLength: 3 }),
    fc.array(task, { minLength: 1, maxLength: 2 }),
    fc.constantFrom('rescue', 'always'),
  )
  .map(([tasks, others, word]): Node => ['block:', ...list(tasks), `${word}:`, ...list(others)]);

const node = fc.oneof(
  { weight: 6, arbitrary: task },
  { weight: 1, arbitrary: block },
  { weight: 1, arbitrary: fc.constant<Node>(['meta: flush_handlers']) },
);

function list(nodes: readonly Node[]): string[] {
  return nodes.flatMap(([first = '', ...rest]) => [`  - ${first}`, ...rest.map((line) => `    ${line}`)]);
}

const play = fc
  .tuple(
    fc.constantFrom('all', 'all', 'h1', 'h2'),
    fc.array(node, { minLength: 1, maxLength: 6 }),
    fc.tuple(handler, handler),
  )
  .map(([hosts, nodes, [one, two]]) =>
    [
      `- hosts: ${hosts}`,
      '  gather_facts: false',
      '  vars: {r: {changed: false}}',
      '  handlers:',
      ...list([
        ['name: one', ...one],
        ['name: two', ...two],
      ]).map((line) => `  ${line}`),
      '  tasks:',
      ...list(nodes).map((line) => `  ${line}`),
    ].join('\n'),
  );

const playbookText = fc.array(play, { minLength: 1, maxLength: 3 }).map((plays) => `${plays.join('\n')}\n`);

/** What a run told and left: everything that somebody could tell two engines apart by, but times. */
async function outcome(playbook: Playbook, directory: string, readsAhead: boolean): Promise<unknown> {
  const machines = new Map<string, Machine>(
    [...new Set(Object.values(MACHINES)), 'm9'].map((name) => [name, newMachine()]),
  );
  const events: RunEvent[] = [];
  const recap = await runPlaybook({
    playbook,
    inventory: loadInventory(join(directory, 'hosts.ini')),
    loaderOptions: { renderStatic: renderStatic(new Map()) },
    transport: recordingTransport(),
    secrets: new SecretRegistry(),
    emit: (event) => events.push(event),
    signal: new AbortController().signal,
    readsAhead,
    openHost: (name) => modelHost(name, MACHINES[name] ?? 'm9', machines),
    settings: {
      checkMode: false,
      diffMode: true,
      tags: [],
      skipTags: [],
      extraVars: new Map(),
      limit: undefined,
      // What hosts do at the same time has no order that two engines could share.
      forks: 1,
      startAtTask: undefined,
      forceHandlers: false,
      verbosity: 0,
      hostKeyChecking: 'strict',
      connectTimeoutMs: 1000,
    },
  });
  return {
    hosts: recap.hosts,
    results: events.flatMap((event) => (event.type === 'result' ? [{ ...event, ms: 0 }] : [])),
    machines: [...machines].map(([name, machine]) => [name, snapshot(machine)]),
  };
}

/** The smallest playbook that tells the engines apart, as one would write it, and where they differ. */
function report(details: fc.RunDetails<[string]>): void {
  if (!details.failed) return;
  const { counterexample, errorInstance, seed } = details;
  throw new Error(`with seed ${seed}:\n\n${counterexample?.[0]}\n${inspect(errorInstance)}`);
}

test('an engine that reads ahead says and does what one does that reads nothing ahead', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-ahead-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(join(directory, 'hosts.ini'), `${HOSTS.join('\n')}\n`);
  const file = join(directory, 'site.yml');
  await fc.assert(
    fc.asyncProperty(playbookText, async (text) => {
      writeFileSync(file, text);
      const playbook = loadPlaybook(file, { renderStatic: renderStatic(new Map()) });
      const [slow, fast] = [
        await outcome(playbook, directory, false),
        await outcome(playbook, directory, true),
      ];
      deepStrictEqual(fast, slow);
    }),
    { numRuns: RUNS, reporter: report },
  );
  t.pass();
});
