import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ExecutionContext } from 'ava';

import { SecretRegistry } from '../../src/lib/secret.ts';
import { loadInventory } from '../../src/inventory/load.ts';
import { renderStatic } from '../../src/variables/static.ts';
import { loadPlaybook } from '../../src/playbook/load.ts';
import type { RunEvent } from '../../src/run/events.ts';
import { runPlaybook, type Recap } from '../../src/run/run-playbook.ts';
import type { RunSettings } from '../../src/run/world.ts';
import type { Transport } from '../../src/transport/transport.ts';
import {
  recordingTransport,
  type RecordedAction,
  type RecordedAnswer,
} from '../../src/transport/recording.ts';

/** A directory with a playbook, whose runs are done by a shell of this machine and written down. */
export interface ScriptedRuns {
  readonly directory: string;
  run(playbook: string, options?: ScriptedOptions): Promise<ScriptedRun>;
}

export interface ScriptedOptions {
  readonly settings?: Partial<RunSettings>;
  readonly inventory?: string;
  readonly signal?: AbortSignal;
  /** Real hosts instead; then `scripts` and `hosts` stay empty. */
  readonly transport?: Transport;
  /** Called before a script is run. */
  readonly before?: (action: Extract<RecordedAction, { kind: 'run' }>) => void | Promise<void>;
  /** Answers a script instead of the shell, where it has an answer. */
  readonly answer?: (action: Extract<RecordedAction, { kind: 'run' }>) => RecordedAnswer | undefined;
}

export interface ScriptedRun {
  readonly recap: Recap;
  readonly events: readonly RunEvent[];
  /** The scripts in the order in which they were sent; each was a round trip. */
  readonly scripts: readonly string[];
  readonly hosts: readonly string[];
  /** `TASK NAME: STATUS` of each result. */
  readonly results: readonly string[];
  /** What the failed ones said. */
  readonly messages: readonly string[];
}

export function scriptedRuns(t: ExecutionContext): ScriptedRuns {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-run-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return { directory, run: async (playbook, options = {}) => await run(directory, playbook, options) };
}

async function run(directory: string, playbook: string, options: ScriptedOptions): Promise<ScriptedRun> {
  writeFileSync(join(directory, 'site.yml'), playbook);
  writeFileSync(join(directory, 'hosts.ini'), options.inventory ?? 'h1\n');
  const loaderOptions = { renderStatic: renderStatic(new Map()) };
  const events: RunEvent[] = [];
  const transport = recordingTransport({
    async answer(action) {
      await options.before?.(action);
      const answer = options.answer?.(action);
      if (answer) return answer;
      // What a target would keep below /var/lib is kept with the test.
      const script = action.script.replaceAll('/var/lib/understudy', join(directory, action.host));
      const { status, stdout, stderr } = spawnSync('/bin/sh', [], {
        input: `{\n${script}\n} </dev/null\n`,
        env: { ...process.env, XDG_STATE_HOME: join(directory, action.host), LC_ALL: 'C.UTF-8' },
      });
      return { status: status ?? 1, stdout, stderr };
    },
  });
  const recap = await runPlaybook({
    playbook: loadPlaybook(join(directory, 'site.yml'), loaderOptions),
    inventory: loadInventory(join(directory, 'hosts.ini')),
    loaderOptions,
    transport: options.transport ?? transport,
    secrets: new SecretRegistry(),
    emit: (event) => events.push(event),
    signal: options.signal ?? new AbortController().signal,
    settings: {
      checkMode: false,
      diffMode: true,
      tags: [],
      skipTags: [],
      extraVars: new Map(),
      limit: undefined,
      forks: 5,
      startAtTask: undefined,
      forceHandlers: false,
      verbosity: 0,
      hostKeyChecking: 'strict',
      connectTimeoutMs: 1000,
      ...options.settings,
    },
  });
  const runs = transport.actions.filter((action) => action.kind === 'run');
  return {
    recap,
    events,
    scripts: runs.map((action) => action.script),
    hosts: runs.map((action) => action.host),
    messages: events.flatMap((event) =>
      event.type === 'result' && event.status === 'failed' && event.message !== undefined
        ? [event.message]
        : [],
    ),
    results: events.flatMap((event) => (event.type === 'result' ? [`${event.task}: ${event.status}`] : [])),
  };
}
